import { createHash } from 'node:crypto'
import * as z from 'zod/mini'
import type { FileForms } from '../filesystem/known-files.ts'
import type { PrivateDirectory } from '../filesystem/private-directory.ts'
import { isTemporaryName } from '../filesystem/temporary-name.ts'

/** The file that says what this program has put into a directory. */
export const listName = 'dask-hpc-runner-env.json'

const form = z.object({
  /** The absolute path of the scheduler file for which it was kept. */
  schedulerFile: z.string(),
  /** For each file the digests of what was written into it: of the run before this one too, while it is replaced. */
  files: z.record(z.string(), z.array(z.string())),
})

/** What certificates were kept in a directory. */
export type KeptList = z.infer<typeof form>

/** SHA-256, in hexadecimal digits. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The text of a list, with what an older one has said. */
export function formatKeptList({ schedulerFile, files }: KeptList, older?: KeptList): string {
  const all = Object.entries(files).map(([name, digests]) => [name, [...digests, ...(older?.files[name] ?? [])]])
  return `${JSON.stringify({ schedulerFile, files: Object.fromEntries(all) as unknown })}\n`
}

/** The list of a directory, undefined where it has none for this scheduler file. @throws UntrustedError or a system error. */
export async function readKeptList(directory: PrivateDirectory, schedulerFile: string): Promise<KeptList | undefined> {
  const text = await directory.read(listName)
  const list = text === undefined ? undefined : parse(text)
  return list?.schedulerFile === schedulerFile ? list : undefined
}

function parse(text: string): KeptList | undefined {
  try {
    return form.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** What of `names` the program has written by this list: nothing where there is none. */
export function formsOf(list: KeptList | undefined, names: readonly string[]): FileForms {
  const same = (text: string): unknown => {
    const found = parse(text)
    return found !== undefined && found.schedulerFile === list?.schedulerFile ? found : undefined
  }
  return {
    parserOf: (name) => {
      if (list === undefined) return undefined
      if (name === listName) return same
      const digests = names.includes(name) ? list.files[name] : undefined
      return digests && ((text) => (digests.includes(digestOf(text)) ? text : undefined))
    },
    isEmpty: () => false,
    isTemporary: (name) => [listName, ...names].some((base) => isTemporaryName(name, base)),
  }
}
