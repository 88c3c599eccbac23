import type { Command } from 'commander'
import { ownTables } from '../options/command-table.ts'
import { checkProgram, readOwnOptions, refuseFlag } from './flags.ts'

/** Adds the commands around a running cluster: `wait`, `status`, `env`, `report` and `stop`. */
export function addClusterCommands(root: Command, withFlags: (command: Command) => Command): void {
  withFlags(
    root
      .command('wait')
      .description('wait for a running cluster and its workers, then run a program')
      .argument('[command...]', 'the program; its exit status is ours')
      .passThroughOptions(),
  ).action(async (program: string[], _flags: unknown, command: Command) => {
    const options = readOwnOptions(ownTables.wait, command)
    checkProgram(program[0])
    await (await import('./run-cluster-command.ts')).runWait(program, options)
  })

  withFlags(
    root.command('status').description('show a running cluster: its scheduler, dashboard, workers and tasks'),
  ).action(async (_flags: unknown, command: Command) => {
    const options = readOwnOptions(ownTables.status, command)
    if (!options.own.follow)
      refuseFlag(options, 'interval', 'without --follow, which shows the cluster again and again: add it')
    await (await import('./run-cluster-command.ts')).runStatus(options)
  })

  withFlags(
    root.command('env').description('print what a shell or a notebook on another node needs to join a running cluster'),
  ).action(async (_flags: unknown, command: Command) => {
    const options = readOwnOptions(ownTables.env, command)
    if (options.own.remove) refuseFlag(options, 'python', 'with --remove, which prints lines for a shell: leave it out')
    await (await import('./run-cluster-command.ts')).runEnv(options)
  })

  withFlags(
    root
      .command('report')
      .description('make a page of a report that a run has written as JSON')
      .argument('<report>', 'the file that --report has named'),
  ).action(async (path: string, _flags: unknown, command: Command) => {
    const options = readOwnOptions(ownTables.report, command)
    await (await import('./run-report.ts')).runReport(path, options)
  })

  withFlags(root.command('stop').description('end a running cluster; that there is none is fine')).action(
    async (_flags: unknown, command: Command) => {
      const options = readOwnOptions(ownTables.stop, command)
      await (await import('./run-cluster-command.ts')).runStop(options)
    },
  )
}
