import { replaceFile } from '../filesystem/replace-file.ts'
import { cannotPublish } from './cannot-publish.ts'

/**
 * Puts a file with `text` at `path`, as {@link replaceFile} does.
 *
 * @throws RunnerError ERR_CANNOT_PUBLISH, with the path and the cause in words.
 */
export async function publishFile(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, text)
  } catch (error) {
    throw cannotPublish(path, error)
  }
}
