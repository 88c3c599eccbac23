import { askOwner } from '../../control/ask.ts'
import { errnoOf, messageOf } from '../../errors.ts'
import { listDirectory } from '../../filesystem/list.ts'
import type { SchedulerFile } from '../../record/scheduler-file.ts'
import { rendezvousPaths } from '../../rendezvous/file/names.ts'
import { checkStale, PathInUseError } from '../../rendezvous/file/path-state.ts'
import { verifyScheduler, type SchedulerAnswer } from '../../dask/verify-scheduler.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import { lookAt } from '../cluster/look.ts'
import { about, type Finding, foundMessage } from './finding.ts'

const { ok, note, warning, problem } = about('scheduler file')

/** What stands at the scheduler file's path. */
export interface PathFacts {
  readonly path: string
  /** Why a run would not replace what stands there. */
  readonly refusal: string | undefined
  /** What a run would say that it replaces. */
  readonly notice: string | undefined
}

/** Looks at what a run would find at its path; nothing is changed. */
export async function lookAtPath(
  path: string,
  { runKey, tls }: { readonly runKey: string; readonly tls: TlsFiles | undefined },
): Promise<PathFacts> {
  const paths = rendezvousPaths(path, runKey)
  const directory = await listDirectory(paths.directory).catch(errnoOf)
  // A run makes what is missing of the path.
  if (directory === 'ENOENT') return { path, refusal: undefined, notice: undefined }
  const isOver = (): boolean => false
  const verify = async (file: SchedulerFile): Promise<SchedulerAnswer> => await verifyScheduler(file, { tls })
  try {
    const state = await checkStale(paths, { runKey, ask: askOwner, verifyScheduler: verify, isOver })
    const refusal = state.kind === 'in use' ? new PathInUseError(path, state).message : undefined
    return { path, refusal, notice: state.kind === 'stale' ? state.notice : undefined }
  } catch (error) {
    return { path, refusal: messageOf(error), notice: undefined }
  }
}

/** Judges whether a run could publish there. */
export function checkPath({ path, refusal, notice }: PathFacts): Finding[] {
  if (refusal !== undefined) return [foundMessage('problem', 'scheduler file', refusal)]
  return [notice === undefined ? ok(path) : note(notice)]
}

/** An existing cluster that workers would be added to. */
export interface ExistingFacts {
  readonly path: string
  /** Undefined where there is no scheduler file, or none that can be read. */
  readonly scheduler: { readonly address: string; readonly answer: SchedulerAnswer } | undefined
  readonly why: string
  /** Whether a run would wait for it; a file that is no scheduler file, or somebody else's, it refuses at once. @default false */
  readonly mayCome?: boolean
}

/** Looks at the cluster that `--no-scheduler` would join. */
export async function lookAtExisting(path: string, tls: TlsFiles | undefined): Promise<ExistingFacts> {
  const sight = await lookAt({ path })
  if (sight.kind !== 'file') return { path, scheduler: undefined, why: sight.why, mayCome: sight.kind === 'missing' }
  const { file } = sight
  return { path, scheduler: { address: file.address, answer: await verifyScheduler(file, { tls }) }, why: '' }
}

/** Judges the cluster that workers would be added to. */
export function checkExisting({ path, scheduler, why, mayCome = false }: ExistingFacts): Finding[] {
  if (scheduler === undefined) {
    const message = `Cannot join the cluster of "${path}": ${why}`
    return mayCome
      ? [warning(message, 'start that one first')]
      : [problem(message, 'name the file of a cluster of yours')]
  }
  const { address, answer } = scheduler
  if (answer === 'answers') return [ok(`${path}; its scheduler at ${address} answers`)]
  return [
    problem(
      `Cannot join the cluster of "${path}": ${saying[answer](address)}`,
      'start that one first, or name the file of another',
    ),
  ]
}

const saying: Readonly<Record<Exclude<SchedulerAnswer, 'answers'>, (address: string) => string>> = {
  refuses: (address) => `its scheduler at ${address} is gone`,
  other: (address) => `another scheduler than its own, or another program, is at ${address}`,
  silent: (address) => `its scheduler at ${address} does not answer`,
  unreachable: (address) => `its scheduler at ${address} cannot be reached`,
}
