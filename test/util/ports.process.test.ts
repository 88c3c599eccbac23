import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { findFreePort, parsePorts, portsOf, readPorts } from '../../src/util/ports.ts'

test('a port or a range of ports is read', () => {
  expect(readPorts('--port', '9000')).toEqual({ first: 9000, last: 9000 })
  expect(portsOf(readPorts('--port', '9000:9002'))).toEqual([9000, 9001, 9002])
})

test.for(['', 'x', '9000-9010', '9010:9000', '70000', '1:2:3', '-1', '0:10'])('"%s" is neither', (text) => {
  expect(parsePorts(text)).toBeUndefined()
  expect(() => readPorts('--port', text)).toThrow(
    new RangeError(`Cannot use --port "${text}": write a port as 9000, or a range of ports as 9000:9010`),
  )
})

test('a port that is taken is passed over', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    expect(await findFreePort({ first: port, last: port }, '127.0.0.1')).toEqual({
      kind: 'taken',
      why: `something listens on port ${port} already`,
    })
    expect(await findFreePort({ first: port, last: port + 20 }, '127.0.0.1')).toBeGreaterThan(port)
  } finally {
    server.close()
  }
})

/** Fails at each port as the system would. */
function failing(...codes: readonly string[]): {
  readonly tried: number[]
  readonly tryPort: (port: number) => Promise<void>
} {
  const tried: number[] = []
  const tryPort = (port: number): Promise<void> => {
    const code = codes[Math.min(tried.length, codes.length - 1)]
    tried.push(port)
    return Promise.reject(Object.assign(new Error(`listen ${code}`), { code }))
  }
  return { tried, tryPort }
}

test.for([
  [['EACCES'], 'forbidden', 'an ordinary user may not listen on ports 80 to 82; name one from 1024 on'],
  [['EACCES', 'EADDRINUSE'], 'taken', 'something listens on ports 80 to 82 already'],
  [['EMFILE'], 'other', 'listen EMFILE'],
] as const)('what the system says is told: %s', async ([codes, kind, why]) => {
  const { tried, tryPort } = failing(...codes)
  expect(await findFreePort({ first: 80, last: 82 }, undefined, tryPort)).toEqual({ kind, why })
  expect(tried).toEqual([80, 81, 82])
})

test.for([
  ['EADDRNOTAVAIL', '10.9.9.9 is no address of this host'],
  ['ENOTFOUND', '10.9.9.9 is no name that stands for an address here'],
] as const)('a host that cannot be used is tried once: %s', async ([code, why]) => {
  const { tried, tryPort } = failing(code)
  expect(await findFreePort({ first: 80, last: 82 }, '10.9.9.9', tryPort)).toEqual({ kind: 'host', why })
  expect(tried).toEqual([80])
})
