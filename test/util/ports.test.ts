import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { findFreePort, portsOf, readPorts } from '../../src/util/ports.ts'

test('a port or a range of ports is read', () => {
  expect(readPorts('--port', '9000')).toEqual({ first: 9000, last: 9000 })
  expect(portsOf(readPorts('--port', '9000:9002'))).toEqual([9000, 9001, 9002])
})

test.for(['', 'x', '9000-9010', '9010:9000', '70000', '1:2:3', '-1'])('"%s" is neither', (text) => {
  expect(() => readPorts('--port', text)).toThrow(
    new RangeError(`Cannot use --port "${text}": write a port as 9000, or a range of ports as 9000:9010`),
  )
})

test('a port that is taken is passed over', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    expect(await findFreePort({ first: port, last: port }, '127.0.0.1')).toBeUndefined()
    expect(await findFreePort({ first: port, last: port + 20 }, '127.0.0.1')).toBeGreaterThan(port)
  } finally {
    server.close()
  }
})
