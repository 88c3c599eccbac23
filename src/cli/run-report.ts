import { makePage } from '../commands/report.ts'
import { defaults } from '../defaults.ts'
import type { ownTables } from '../options/command-table.ts'
import { releaseSignals } from '../util/early-signals.ts'
import { printable } from '../util/printable.ts'
import type { CommandOptions } from './flags.ts'
import { print } from './print.ts'

/** Makes the page of a report, and says where it is. */
export async function runReport(path: string, { own }: CommandOptions<typeof ownTables.report>): Promise<void> {
  releaseSignals()
  const page = await makePage(path, { output: own.output, timeout: defaults.filesystemTimeout })
  await print(`${printable(page)}\n`)
}
