import { RunnerError } from '../../errors.ts'
import type { DaskValue } from '../../components/dask-arguments.ts'
import { describePython, judgeValues, type PythonDescription } from '../../python/describe-python.ts'
import { findPython, type PythonWish } from '../../python/find-python.ts'
import { defaults } from '../../defaults.ts'
import { formatDuration } from '../../util/duration.ts'
import { monotonic } from '../../util/monotonic.ts'
import { deadline } from '../../util/wait.ts'
import { about, type Finding } from './finding.ts'
import { pythonTimeout } from './probe.ts'

const onPython = about('python')
const onDask = about('dask')
const onDashboard = about('dashboard')

/** A Python that takes longer to be found and to say what it has is slow. In milliseconds. */
const slowMs = 5_000

/** The oldest Dask that was tried. */
const oldest = [2022, 12] as const

/**
 * The Python in which scheduler and workers would run, and what its Dask says of these values.
 *
 * @throws RunnerError ERR_ENVIRONMENT where there is none that answers in time.
 */
export async function lookAtPython(
  wish: PythonWish,
  env: Readonly<NodeJS.ProcessEnv>,
  values: readonly DaskValue[] = [],
): Promise<PythonDescription> {
  const { python, rendezvousTimeout = defaults.rendezvousTimeout } = wish
  const timeout = pythonTimeout(rendezvousTimeout)
  const began = monotonic()
  const stop = new AbortController()
  const late = (): Error =>
    new RunnerError(
      `Cannot find a Python that has Dask: ${python === undefined ? 'those that there are gave' : `"${python}" gives`} ` +
        `no answer within ${formatDuration(timeout)}; see whether its filesystem hangs, or name another by --python`,
      { code: 'ERR_ENVIRONMENT' },
    )
  try {
    const path = await deadline(findPython(wish, env, stop.signal), timeout, late)
    const description = await describePython(path, { env, timeout })
    const tookMs = monotonic() - began
    if (description.place === null || values.length === 0) return { ...description, tookMs }
    return { ...description, tookMs, refusals: [...(await judgeValues(path, values, { env, timeout }))] }
  } finally {
    stop.abort()
  }
}

/** Judges the Python of scheduler and workers, and the Dask in it. */
export function checkPython(python: PythonDescription): Finding[] {
  const { distributed, dask } = python.packages
  const findings = [onPython.ok(`${python.version}, ${python.executable}`)]
  if (distributed === undefined)
    findings.push(
      onDask.problem(
        `${python.executable} has no module distributed`,
        'activate the environment that has it, or name its interpreter by --python',
      ),
    )
  else findings.push(...checkDask(distributed, dask, python.place))
  const { tookMs = 0 } = python
  if (tookMs > slowMs)
    findings.push(
      onPython.warning(
        `it is slow: it took ${formatDuration(Math.round(tookMs / 1000) * 1000)} to say which Dask it has; each process of a run waits as long, but not longer than --rendezvous-timeout`,
        'put the environment on a faster filesystem, such as one of the node, or give a longer --rendezvous-timeout',
      ),
    )
  return findings
}

/** Judges whether the scheduler could serve its dashboard. */
export function checkBokeh({ packages: { distributed, bokeh } }: PythonDescription): Finding[] {
  if (distributed === undefined) return []
  if (bokeh !== undefined) return [onDashboard.ok(`bokeh ${bokeh}`)]
  return [onDashboard.note('bokeh is not installed, so there will be no dashboard', 'pip install bokeh')]
}

function checkDask(distributed: string, dask: string | undefined, place: string | null): Finding[] {
  const findings = [onDask.ok(`distributed ${distributed}, dask ${dask ?? 'missing'}, in ${place ?? '?'}`)]
  if (dask === undefined)
    return [onDask.problem(`distributed ${distributed} is installed without dask`, 'pip install dask')]
  if (isRelease(distributed) && isRelease(dask) && publicPart(distributed) !== publicPart(dask))
    findings.push(
      onDask.warning(
        `distributed ${distributed} and dask ${dask} are not of one release`,
        'install both in the same version',
      ),
    )
  const [year = 0, month = 0] = publicPart(distributed).split('.').map(Number)
  if (isRelease(distributed) && (year < oldest[0] || (year === oldest[0] && month < oldest[1])))
    findings.push(onDask.warning(`distributed ${distributed} is older than any that was tried (${oldest.join('.')})`))
  return findings
}

/** A version without what a distributor adds: `2022.12.1` of `2022.12.1+ds.1`. */
export function publicPart(version: string): string {
  return version.split('+')[0] ?? version
}

/** A version from a checkout, or one that could not be told, is not compared. */
function isRelease(version: string): boolean {
  return /^\d+(\.\d+)+$/.test(publicPart(version))
}
