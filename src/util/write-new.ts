import { open, unlink } from 'node:fs/promises'

/**
 * Writes a file that is not there yet, down to the disk: it may then be renamed into the place of another.
 * What stands there is neither opened nor, where it is a link, followed. Where it cannot be written nothing is left.
 */
export async function writeNew(path: string, content: string | Buffer, mode: number): Promise<void> {
  // 'x' is O_EXCL: it follows no link.
  const handle = await open(path, 'wx', mode)
  try {
    // Permissions that are inherited from the directory come in spite of the mode: before anything stands in it.
    if (((await handle.stat()).mode & 0o777 & ~mode) !== 0) await handle.chmod(mode)
    await handle.writeFile(content)
    await handle.sync()
  } catch (error) {
    await unlink(path).catch(() => undefined)
    throw error
  } finally {
    await handle.close()
  }
}
