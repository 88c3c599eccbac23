import { dirname } from 'node:path'
import { withCommandSignals } from '../commands/cluster/command-signals.ts'
import { completeTarget } from '../commands/cluster/target.ts'
import { forgetCertificates, joinEnvironment, joinVariables } from '../commands/env.ts'
import { pythonLines, shellLines, unsetLines } from '../commands/env-text.ts'
import { RunnerError } from '../errors.ts'
import type { ownTables } from '../options/command-table.ts'
import { demandsTls } from '../util/tls-files.ts'
import { printable } from '../util/printable.ts'
import { forceExit } from '../util/io-timeout.ts'
import type { CommandOptions } from './flags.ts'
import { draw } from './print.ts'

/** Prints how another shell or notebook joins a cluster, or removes what was kept for that, and ends this process. */
export async function runEnv({ own, sources }: CommandOptions<typeof ownTables.env>): Promise<never> {
  const { env } = process
  process.stderr.on('error', () => undefined)
  forceExit(
    await withCommandSignals(async ({ signal }) => {
      const target = completeTarget({ ...own, sources }, env)
      if (own.remove) {
        if (!('path' in target)) throw new RangeError('Cannot use --remove: name the --scheduler-file')
        const { gone, all } = await forgetCertificates(target.path)
        say(gone.length === 0 ? `nothing is kept for "${target.path}"` : `removed "${gone.join('", "')}"`)
        await draw(unsetLines(env, { schedulerFile: target.path, directories: all }))
        return 0
      }
      const environment = await joinEnvironment(target, { timeout: own.timeout, signal })
      for (const value of Object.values(joinVariables(environment)))
        if (printable(value) !== value)
          throw new RunnerError(
            `Cannot print "${printable(value)}": it has a control character in it; use another path`,
            {
              code: 'ERR_ENVIRONMENT',
            },
          )
      const { tls, kept } = environment
      if (kept && tls !== undefined)
        say(
          `the certificates of the run are in "${dirname(tls.cert)}", and worth nothing after it; ` +
            'the same command with --remove removes them',
        )
      if (tls === undefined && demandsTls(env))
        say(
          "warning: Dask's configuration demands encryption here (DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION), and this cluster has none: " +
            'unset that variable',
        )
      await draw(own.python ? pythonLines(environment) : shellLines(environment))
      return 0
    }),
  )
}

function say(text: string): void {
  process.stderr.write(`dask-hpc-runner: ${printable(text)}\n`)
}
