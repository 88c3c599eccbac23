import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { programBuild } from '../program-build.ts'
import { python, root } from '../slurm/directory.ts'
import type { Launch, Moment } from './cell.ts'
import type { FaultRun } from './fault-run.ts'
import { type Limits, limitFlags } from './limits.ts'
import { runMark } from './process-table.ts'
import type { Step } from './step.ts'

const fixtures = join(root, 'fixtures/faults')

/** Where every run of the matrix publishes. */
export const schedulerFile = 'F.json'

/** Starts a run as a cell wants it, so that it can be held at the cell's moment. */
export async function launch(
  run: FaultRun,
  { launch: options = {}, moment, limits }: { launch?: Launch | undefined; moment: Moment; limits: Limits },
): Promise<Step> {
  const { tasks = 4, flags = [], flagsOf = {}, client = [], broken = {}, spin } = options
  for (const name of ['client.py', 'hold.py']) await copyFile(join(fixtures, name), run.path(name))
  if (moment === 'before publication') await run.release('hold-scheduler')
  if (moment === 'while ending') await run.release('hold-end')
  const holding = moment === 'before publication' || moment === 'while ending' ? ['--preload', 'hold.py'] : []
  const all = [...limitFlags(limits), '--verbose', '--report', 'report.json', ...holding, ...flags]
  const lines = ['#!/bin/sh', 'echo "$SLURM_JOB_ID" >job', 'set --']
  if (moment === 'before it listens') {
    await cp(join(fixtures, 'hold_import'), run.path('hold_import'), { recursive: true })
    lines.push('if [ "$SLURM_PROCID" = 0 ]; then export PYTHONPATH="$PWD/hold_import"; fi')
  }
  if (moment === 'while gating')
    lines.push('if [ "$SLURM_PROCID" = 3 ]; then while [ ! -e go-3 ]; do sleep 0.1; done; fi')
  for (const [rank, more] of Object.entries(flagsOf))
    lines.push(`if [ "$SLURM_PROCID" = ${rank} ]; then set -- ${quote(more)}; fi`)
  for (const [rank, how] of Object.entries(broken)) {
    if (how === 'no node') lines.push(`if [ "$SLURM_PROCID" = ${rank} ]; then exec /nowhere/node cli.cjs run; fi`)
    else if (how === 'stopped') lines.push(`if [ "$SLURM_PROCID" = ${rank} ]; then kill -STOP $$; fi`)
    else lines.push(`if [ "$SLURM_PROCID" = ${rank} ]; then export ${await brokenPython(run, how)}; fi`)
  }
  const command = options.command ?? ['python', 'client.py', ...client]
  if (spin === undefined)
    lines.push(`exec dask-hpc-runner run --scheduler-file ${schedulerFile} ${quote(all)} "$@" -- ${quote(command)}`)
  else lines.push(`exec node ${await compileSpin(run)} ${spin} ${quote([JSON.stringify(camelCase(all))])}`)
  await writeFile(run.path('launch.sh'), `${lines.join('\n')}\n`, { mode: 0o755 })
  await prepareFile(run, options)
  if (options.taken !== undefined) await listen(run, options.taken.rank, options.taken.port)
  return run.start(tasks, ['./launch.sh'])
}

function quote(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ')
}

/** The variable by which a process finds a `python3` that has no Dask, or a Dask whose import crashes. */
async function brokenPython(run: FaultRun, how: 'no dask' | 'crashing dask'): Promise<string> {
  if (how === 'no dask') {
    await mkdir(run.path('no-dask'))
    for (const name of ['python', 'python3'])
      await writeFile(run.path(`no-dask/${name}`), `#!/bin/sh\nexec '${python}' -S "$@"\n`, { mode: 0o755 })
    return 'PATH="$PWD/no-dask:$PATH"'
  }
  await mkdir(run.path('crashing-dask/distributed'), { recursive: true })
  const crash = 'import os, sys\nprint("an import that crashes", file=sys.stderr, flush=True)\nos.abort()\n'
  await writeFile(run.path('crashing-dask/distributed/__init__.py'), crash)
  return 'PYTHONPATH="$PWD/crashing-dask"'
}

/** Something that accepts connections on a port of a rank's host and says nothing. */
async function listen(run: FaultRun, rank: number, port: number): Promise<void> {
  const text = `import socket,time;s=socket.create_server(("",${port}));print("listening",flush=True);time.sleep(3600)`
  await bystander(run, rank, ['python3', '-c', text], /listening/)
}

/** Starts a program that is no part of the run on a rank's host, and waits for its word. */
export async function bystander(run: FaultRun, rank: number, command: readonly string[], ready: RegExp): Promise<void> {
  const host = run.slurm.host(run.hostOf(rank))
  const env = { ...run.slurm.env, BYSTANDER: run.mark.replace(runMark, '') }
  // Not in the run's directory, whose name is the mark of the run's processes.
  const child = host.spawn(command, { env, directory: '/' }, ['ignore', 'pipe', 'pipe'])
  let said = ''
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (ready.test(said)) resolve()
      })
    child.once('close', () => reject(new Error(`Cannot start ${command.join(' ')}:\n${said}`)))
  })
}

/** Puts at the scheduler file's path what stands there before the run. */
async function prepareFile(run: FaultRun, { file, tasks = 4 }: Launch): Promise<void> {
  if (file === undefined) return
  const path = run.path(schedulerFile)
  const address = run.slurm.host(run.hostOf(tasks - 1)).address
  const text = await readFile(join(root, 'fixtures/dask/scheduler-file-2022.12.1.json'), 'utf8')
  const at = (port: number): string => text.replace(/tcp:\/\/[\d.]+:\d+/, `tcp://${address}:${port}`)
  if (file === 'empty') await writeFile(path, '')
  if (file === 'truncated') await writeFile(path, text.slice(0, text.length / 2))
  if (file === 'dead address') await writeFile(path, at(9))
  if (file === 'something else listens') {
    await listen(run, tasks - 1, 8999)
    await writeFile(path, at(8999))
  }
  if (file === 'another scheduler') {
    const options = ['--host', address, '--port', '8998', '--no-dashboard', '--dashboard-address', ':0']
    const command = [
      'python3',
      '-m',
      'distributed.cli.dask_scheduler',
      ...options,
      '--scheduler-file',
      join(run.directory, schedulerFile),
    ]
    await bystander(run, tasks - 1, command, /Scheduler at:/)
  }
}

async function compileSpin(run: FaultRun): Promise<string> {
  await build({ ...programBuild, entryPoints: [join(fixtures, 'spin.ts')], outfile: run.path('spin.mjs') })
  return 'spin.mjs'
}

/** Flags as options of the library: one that has no value behind it is a switch. */
function camelCase(flags: readonly string[]): Record<string, string | boolean> {
  const options: Record<string, string | boolean> = {}
  for (const [i, flag] of flags.entries()) {
    if (!flag.startsWith('--')) continue
    const value = flags[i + 1]
    const name = flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    options[name] = value === undefined || value.startsWith('--') ? true : value
  }
  return options
}
