import { open } from 'node:fs/promises'

/** Writes a file that is not there yet, down to the disk: it may then be renamed into the place of another. */
export async function writeNew(path: string, content: string | Buffer, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
