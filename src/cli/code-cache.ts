import { open, rename, rm } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { messageOf } from '../errors.ts'
import { print } from './print.ts'

/**
 * Writes what V8 makes of the program's code beside its file, for the version of Node that runs this: a process
 * that finds it there has nothing to compile.
 *
 * @throws Error where it cannot be written, or this is not the built program.
 */
export async function writeCodeCache(): Promise<void> {
  const { program } = import.meta
  if (program === undefined) throw new Error('Cannot make a code cache: this is not the built program')
  for (const { cacheFile, compile } of program.scripts) {
    // Every function, and not those only that have been called.
    setFlagsFromString('--no-lazy')
    const script = compile({})
    setFlagsFromString('--lazy')
    await replaceFile(cacheFile, Buffer.concat([Buffer.from(program.header()), script.createCachedData()]))
    await print(`Wrote ${cacheFile}\n`)
  }
}

async function replaceFile(path: string, data: Buffer): Promise<void> {
  const temporary = `${path}.${process.pid}`
  try {
    const file = await open(temporary, 'wx', 0o644)
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw new Error(`Cannot write the code cache: ${messageOf(error)}`, { cause: error })
  }
}
