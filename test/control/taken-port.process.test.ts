import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { networkName } from '../../src/util/network.ts'
import { Cluster, python } from '../support/cluster.ts'
import { asUser, makePrivate, shellAs, stranger, test, user } from '../support/second-user.ts'
import { fourTasks } from '../support/step.ts'
import { until } from '../support/until.ts'

/** Listens, writes down all that comes, and answers as a rank 0 would that knows nothing: `his` is his own directory. */
const listener = `
import json, socket, struct, sys
def frame(message):
    content = json.dumps(message).encode()
    return struct.pack('>I', len(content)) + content
server = socket.create_server(('127.0.0.1', 0))
heard = open(sys.argv[1] + '/heard', 'ab', buffering=0)
print(server.getsockname()[1], file=open(sys.argv[1] + '/port', 'w'), flush=True)
while True:
    caller, _ = server.accept()
    caller.settimeout(5)
    try:
        heard.write(caller.recv(65536))
        caller.sendall(frame({'nonce': 'A' * 43, 'proof': 'A' * 43}) + frame({'type': 'welcome'}) + b'{"type":"welcome"}\\n')
        while content := caller.recv(65536): heard.write(content)
    except OSError:
        pass
    caller.close()
`

test('a stranger on the port of a rank 0 that is gone learns nothing of the run, and is not believed', async () => {
  await using cluster = await Cluster.make({ user })
  const his = await makePrivate(stranger, join(cluster.directory, 'his'))
  const listening = spawn(...asUser(stranger, [python, '-c', listener, his]), {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  onTestFinished(() => void listening.kill('SIGKILL'))
  const port = await until(
    async () => await readFile(join(his, 'port'), 'utf8').catch(() => ''),
    (text) => text.endsWith('\n'),
    { what: 'the stranger listens', say: String },
  )
  const record = {
    ...{ version: 1, run_key: 'sim-7.0-r0', nonce: 'nonce-of-the-run', host: 'node0', pid: 4711, n_workers: 2 },
    control: { addresses: ['127.0.0.1'], port: Number(port), network: await networkName() },
    secret: 'secret-of-the-run',
  }
  const script = 'umask 077; mkdir "$1"; printf %s "$2" > "$1/coordinator.json"'
  await shellAs(user, script, cluster.path('.F.json.run-sim-7.0-r0'), JSON.stringify(record))
  const [, client] = fourTasks()
  const rank1 = cluster.run(
    ['run', '--scheduler-file', 'F.json', '--rendezvous-timeout', '3s', '--no-scancel', '--', 'true'],
    client,
  )
  await rank1.expectStatus(69)
  expect(rank1.stderr).toContain('what listens there does not prove that it is of this run')
  const heard = await readFile(join(his, 'heard'), 'utf8')
  expect(heard).toContain('"purpose":"join"')
  expect(heard).not.toMatch(/-of-the-run|sim-7|node1|rank|proof/)
  cluster.expectFile('.F.json.run-*')
  await cluster.expectNothingLeft()
})
