import { Command } from 'commander'
import { completeOptions, type CompleteOptions } from '../options.ts'
import type { ownTables } from '../options/command-table.ts'
import { chooseRunner, refuseUnused } from '../runners/choose-runner.ts'
import { findHosts } from '../spread/find-hosts.ts'
import { spread } from '../spread/spread.ts'
import { printable } from '../util/printable.ts'
import { forceExit } from '../util/io-timeout.ts'
import { say } from './print.ts'
import { addFlags, type CommandOptions, readRun, withClient } from './flags.ts'

/** Starts a run on every host of the job, and ends this process with its status. */
export async function runSpread(
  args: readonly string[],
  { own }: CommandOptions<typeof ownTables.spread>,
): Promise<never> {
  const { env } = process
  process.stderr.on('error', () => undefined)
  const run = readSpreadRun(args)
  const hosts = await findHosts(env, { ...own, filesystemTimeout: run.filesystemTimeout })
  const { per, startTimeout } = own
  forceExit(await spread({ ...hosts, per, startTimeout, args, run, env, say }))
}

/** What follows `--`: it is read here too, so that what is wrong in it is told once, and before anything starts. */
function readSpreadRun([name = '', ...args]: readonly string[]): CompleteOptions {
  if (name !== 'run')
    throw new RangeError(
      `Cannot spread "${printable(name)}": what follows -- is run, as in: spread -- run -- python client.py`,
    )
  const command = addFlags(new Command('run')).argument('[command...]').passThroughOptions().exitOverride()
  command.action(() => undefined).parse([...args], { from: 'user' })
  const run = completeOptions(withClient(command.args, readRun(command, command.args)))
  refuseUnused(run, chooseRunner(run, 'spread').kind)
  return run
}
