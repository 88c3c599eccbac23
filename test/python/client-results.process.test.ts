import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import calls from '../../src/python/client-calls.py'
import results from '../../src/python/client-results.py'

/** The value is encoded when something else of the helper process has happened. */
const encodesWhenAnotherIsAnswered = `
import asyncio
import threading

another = threading.Event()

class Encoder:
    def __init__(self):
        self.buffers = []

    def value(self, value):
        return [0, b"in time" if another.wait(10) else b"nothing else was answered", 0, 0]

class Tasks:
    JavaScriptValue = type("JavaScriptValue", (), {})
    Encoder = Encoder

class Helper(Results, Calls):
    tasks = Tasks

    async def report(self, header, buffers=()):
        print(header["values"][0][1][1].decode())

async def main():
    helper = Helper()
    asyncio.get_running_loop().call_later(0.01, another.set)
    await helper.send_values([7], [[1, 2, 3]])
    another.clear()
    asyncio.get_running_loop().call_later(0.01, another.set)
    answer, _ = await helper.aside([[1]], helper.answer_of_run, {"tcp://a:1": [1]})
    print(answer["values"]["tcp://a:1"][1].decode())

asyncio.run(main())`

test('while the helper process encodes a large value, it answers others', async () => {
  const text = `${results}\n${calls}\n${encodesWhenAnotherIsAnswered}`
  const { stdout } = await promisify(execFile)('python3', ['-c', text], { env: { PATH: process.env.PATH } })
  expect(stdout).toBe('in time\nin time\n')
})
