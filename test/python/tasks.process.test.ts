import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import calls from '../../src/python/tasks.py'

const callsThatNeverEnd = `
begun = threading.Event()

class Call(JavaScriptCall):
    def __init__(self):
        pass

    def __call__(self, payload):
        begun.set()
        threading.Event().wait()

async def main():
    calls = [asyncio.ensure_future(Call().run_here(b"", {})) for _ in range(40)]
    await asyncio.sleep(0)
    begun.wait()
    print(await asyncio.get_running_loop().run_in_executor(None, str, "the server has a thread"))

asyncio.run(main())
print("and ends")`

test('calls of JavaScript outside of tasks that never end take no thread of the server, and do not keep it from its end', async () => {
  const withoutMsgpack = 'import sys\nimport types\nsys.modules["msgpack"] = types.ModuleType("msgpack")'
  const options = { env: { PATH: process.env.PATH }, timeout: 60_000 }
  const text = `${withoutMsgpack}\n${calls}\n${callsThatNeverEnd}`
  const { stdout } = await promisify(execFile)('python3', ['-c', text], options).catch(
    (error: unknown) => error as { stdout: string },
  )
  expect(stdout).toBe('the server has a thread\nand ends\n')
})
