import { hostname } from 'node:os'
import { statSync } from 'node:fs'
import { errnoOf, messageOf, RunnerError } from '../errors.ts'
import { deferred } from '../util/deferred.ts'
import { formatDuration } from '../util/duration.ts'
import { deadline } from '../util/wait.ts'
import type { Line } from './line.ts'
import { beginWord, isPassedOn, takeEnvironment, type SpreadOrders } from './orders.ts'

/**
 * Takes the place of a rank: the directory, the environment, and from then on the launcher's signals. Says so, and waits
 * until all the others have said so too. When the launcher has gone, whatever ended it, this process ends as by TERM.
 *
 * @returns the command of this process, and its arguments; undefined where the run does not begin
 * @throws RunnerError ERR_ENVIRONMENT where there is no such directory on this host, ERR_TIMED_OUT where the launcher says
 *   nothing for longer than it would wait itself: then its host is lost.
 */
export async function takePlace(orders: SpreadOrders, line: Line): Promise<readonly string[] | undefined> {
  enter(orders)
  const begins = deferred<boolean>()
  let hasBegun = false
  const end = (signal: NodeJS.Signals): void => {
    begins.resolve(false)
    if (hasBegun) process.kill(process.pid, signal)
  }
  const hear = (word: string): void => {
    if (word === beginWord) begins.resolve((hasBegun = true))
    else if (isPassedOn(word)) end(word)
  }
  line.listen(hear, () => {
    end('SIGTERM')
  })
  await line.sayReady(orders.word)
  const begun = await deadline(begins.promise, orders.beginTimeout, () => noWord(orders.beginTimeout))
  line.unref()
  return begun ? orders.args : undefined
}

function noWord(ms: number): RunnerError {
  return new RunnerError(
    `Cannot begin the run on host "${hostname()}": spread has said nothing for ${formatDuration(ms)}; see whether its host is up`,
    { code: 'ERR_TIMED_OUT' },
  )
}

function enter({ directory, env }: SpreadOrders): void {
  try {
    process.chdir(directory)
  } catch (cause) {
    const why = errnoOf(cause) === 'ENOENT' ? 'there is no such directory' : messageOf(cause)
    throw new RunnerError(
      `Cannot enter "${directory}" on host "${hostname()}": ${why}; start spread in a directory that all hosts share`,
      { code: 'ERR_ENVIRONMENT', cause },
    )
  }
  const temporary = process.env.TMPDIR
  takeEnvironment(env, process.env)
  process.env.PWD = directory
  // That of the launcher's job may be there on its own host alone.
  if (temporary === undefined && !isDirectory(process.env.TMPDIR)) delete process.env.TMPDIR
}

function isDirectory(path: string | undefined): boolean {
  return path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
