import { rename, rm } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { messageOf } from '../errors.ts'
import { writeNew } from '../util/write-new.ts'
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
    await writeNew(temporary, data, 0o644)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    const why = `${messageOf(error)}; run this as somebody who may write beside the program, or do without`
    throw new Error(`Cannot write the code cache: ${why}`, { cause: error })
  }
}
