import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import pool from '../../src/python/tasks-pool.py'

const startsThree = `
threads = []
hangs = threading.Event()

class NodeProcess:
    def __init__(self, path):
        threads.append(threading.get_ident())
        if path == "missing":
            raise RuntimeError("it is missing")
        if path == "hanging":
            hangs.set()
            threading.Event().wait()

def take(path):
    try:
        print(type(pool_of(path).take()).__name__)
    except RuntimeError as error:
        print(error)

for path in ["good", "missing", "hanging"]:
    thread = threading.Thread(target=take, args=[path], daemon=True)
    thread.start()
    if path != "hanging":
        thread.join()
hangs.wait()
print(len(threads), "by", len(set(threads)))`

test('one thread starts all Node processes, since they end with it; one that hangs at its start does not keep Python from its end', async () => {
  const options = { env: { PATH: process.env.PATH }, timeout: 240_000 }
  const { stdout } = await promisify(execFile)('python3', ['-c', `${pool}\n${startsThree}`], options)
  expect(stdout).toBe('NodeProcess\nit is missing\n3 by 1\n')
})
