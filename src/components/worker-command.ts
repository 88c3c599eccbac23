import { RunnerError } from '../errors.ts'
import { type Placeholder, placeholderPattern, wordsOfCommand } from '../options/worker-command.ts'

/** What the placeholders of a worker command stand for. */
export type CommandValues = Readonly<Record<Placeholder, string | undefined>>

/**
 * The words of a worker command with its placeholders filled in. What is filled in stays within its word.
 *
 * @throws RunnerError with `ERR_USAGE` where it names something that this run does not have.
 */
export function fillCommand(text: string, values: CommandValues): [string, ...string[]] {
  const [program = '', ...args] = wordsOfCommand(text).map((word) =>
    word.replaceAll(placeholderPattern, (all, name: Placeholder) => {
      const value = values[name]
      if (value !== undefined) return value
      throw new RunnerError(`Cannot start the worker command: it names ${all}, and this run has none`, {
        code: 'ERR_USAGE',
      })
    }),
  )
  return [program, ...args]
}
