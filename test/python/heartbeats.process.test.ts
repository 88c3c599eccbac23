import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import heartbeats from '../../src/python/heartbeats.py'

const worker = `
class Callback:
    def stop(self):
        print("no further heartbeat")

    async def callback(self):
        print("a heartbeat begins")
        await release.wait()
        print("and ends")

worker = types.SimpleNamespace(periodic_callbacks={"heartbeat": Callback()})`

async function run(main: string): Promise<string> {
  const program = `${heartbeats}\n${worker}\nasync def main():\n  global release\n  release = asyncio.Event()\n${main}\nasyncio.run(main())`
  const { stdout } = await promisify(execFile)('python3', ['-c', program], { timeout: 60_000 })
  return stdout
}

test('a worker finishes its heartbeat before it closes', async () => {
  const printed = await run(`
  dask_setup(worker)
  heartbeat = asyncio.ensure_future(worker.periodic_callbacks["heartbeat"].callback())
  await asyncio.sleep(0)
  closing = asyncio.ensure_future(dask_teardown(worker))
  await asyncio.sleep(0)
  release.set()
  await closing
  print("closes")`)
  expect(printed).toBe('a heartbeat begins\nno further heartbeat\nand ends\ncloses\n')
})

test('one that fails before its setup, as where its port is taken, closes without a word of ours', async () => {
  const printed = await run('  await dask_teardown(worker)\n  print("closes")')
  expect(printed).toBe('no further heartbeat\ncloses\n')
})
