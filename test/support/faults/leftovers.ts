import { readdir } from 'node:fs/promises'
import { matches } from '../matches.ts'
import { daskLeavings } from '../slurm/hosts.ts'
import type { FaultRun } from './fault-run.ts'

/** What the harness itself has put there. */
const ours = [
  ...['bin', 'launch.sh', 'client.py', 'hold.py', '__pycache__', 'spin.mjs', 'report.json', 'no-dask', 'crashing-dask'],
  ...[
    'hold-*',
    'held-*',
    'hold_import',
    'break-import',
    'connecting',
    'go',
    'go-*',
    'job',
    'ending-*',
    'client.*',
    'second',
  ],
]

/** The files of a run that are left in its directory and in its TMPDIR on each host, and that nobody expects. */
export async function filesLeft(run: FaultRun, expected: readonly string[], silent?: string): Promise<string[]> {
  const unexpected = (name: string): boolean =>
    ![...ours, ...expected].some((pattern) => matches(name, pattern)) && !daskLeavings.has(name)
  const left = run.files().filter(unexpected)
  for (const host of run.hosts) {
    if (host === silent) continue
    const names = await readdir(run.temporary(host))
    left.push(...names.filter(unexpected).map((name) => `${host}:${name}`))
  }
  for (const [host, name] of await run.secrets()) if (host !== silent && unexpected(name)) left.push(`${host}:${name}`)
  return left
}
