import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { samples } from './samples.ts'
import { python } from '../support/cluster.ts'

/** How Dask itself reads the values of these options; what it refuses raises. */
const readers = `
import json, sys
from dask.utils import parse_bytes, parse_timedelta
from distributed.comm.addressing import get_address_host_port
from distributed.utils import clean_dashboard_address, parse_ports
def memory(text):
    if text == "auto": return
    try: number = float(text)
    except ValueError: return parse_bytes(text)
    return int(number)
def resources(text):
    return {name: float(amount) for name, amount in (pair.split("=") for pair in text.replace(",", " ").split())}
def address(text): return get_address_host_port(text, strict=True)
readers = {"memoryLimit": memory, "lifetime": parse_timedelta, "deathTimeout": parse_timedelta,
    "lifetimeStagger": parse_timedelta, "idleTimeout": parse_timedelta, "resources": resources,
    "workerPort": parse_ports, "nannyPort": parse_ports, "port": parse_ports, "contactAddress": address,
    "listenAddress": address, "dashboardAddress": clean_dashboard_address}
wrong = []
for option, text in json.load(sys.stdin):
    try: readers[option](text)
    except Exception as error: wrong.append([option, text, repr(error)])
print(json.dumps({"wrong": wrong, "options": list(readers)}))
`

it('what we take as a value of Dask is one for Dask', () => {
  const options = ['memoryLimit', 'lifetime', 'deathTimeout', 'resources', 'workerPort', 'nannyPort', 'port']
  options.push('lifetimeStagger', 'idleTimeout', 'contactAddress', 'listenAddress', 'dashboardAddress')
  // What is made of it is what Dask gets.
  const taken = options.flatMap((option) => Object.values(samples[option]?.good ?? {}).map((text) => [option, text]))
  expect(taken.length).toBeGreaterThan(50)
  const output = execFileSync(python, ['-c', readers], { input: JSON.stringify(taken), encoding: 'utf8' })
  expect(JSON.parse(output)).toMatchObject({ wrong: [] })
})
