import { type Environment, readVariable } from '../../identity/environment.ts'
import { jobEndOf } from '../../identity/job-end.ts'
import { askProgram, type AskProgramOptions, lastWords, type ProgramAnswer } from '../../process/ask-program.ts'
import type { JobEnd, WorkloadManager } from '../../run/workload-manager.ts'

/** How long Slurm's commands may take to answer. Nobody waits for them. In milliseconds. */
const askTimeoutMs = 10_000

/** A command that knows when a job ends, and where that stands in what it prints, in seconds since 1970. */
interface Question {
  readonly command: (jobId: string) => readonly [string, ...string[]]
  readonly answer: (jobId: string) => RegExp
}

/** A job has one number for each element of an array and each part of a heterogeneous job: other lines are of others. */
const questions: readonly Question[] = [
  {
    command: (jobId) => ['squeue', '--noheader', '--states=all', `--jobs=${jobId}`, '--format=%A %e %l'],
    // Of a job without a limit it may name a time, too: a year from its start.
    answer: (jobId) => new RegExp(`^\\s*${jobId} ([0-9]+) (?!UNLIMITED)`, 'm'),
  },
  {
    command: (jobId) => ['scontrol', '--oneliner', 'show', 'job', jobId],
    answer: (jobId) => new RegExp(`^JobId=${jobId} .*\\bEndTime=([0-9]+)\\b`, 'm'),
  },
]

/** How {@link slurmJobEnd} asks. */
export interface SlurmJobEndOptions {
  /** Ends the questions. */
  readonly signal: AbortSignal
  /** @default askProgram */
  readonly ask?: (command: readonly [string, ...string[]], options: AskProgramOptions) => Promise<ProgramAnswer>
}

/** What the job of Slurm around a process tells, whatever has started that; `env` is that of a process of the job. */
export function jobOfSlurm(env: Environment): WorkloadManager {
  return { jobEnd: async (signal) => await slurmJobEnd(env, { signal }) }
}

/**
 * When the job around this process ends: by its variables, else by `squeue` or `scontrol`. Does not throw.
 *
 * @param env of a process of the job
 */
export async function slurmJobEnd(env: Environment, { signal, ask = askProgram }: SlurmJobEndOptions): Promise<JobEnd> {
  const jobId = readVariable(env, 'SLURM_JOB_ID') ?? readVariable(env, 'SLURM_JOBID')
  if (jobId === undefined || !/^[0-9]+$/.test(jobId)) return { why: 'there is no job of Slurm around the run' }
  const told = jobEndOf(env)
  // One that is past was inherited from another job.
  if (told !== undefined && told > Date.now()) return { at: told }
  const whys: string[] = []
  for (const { command, answer } of questions) {
    const words = command(jobId)
    const { stdout, stderr, failure } = await ask(words, { env: asked(env), timeout: askTimeoutMs, signal })
    const seconds = answer(jobId).exec(stdout)?.[1]
    if (seconds !== undefined) return { at: Number(seconds) * 1000 }
    whys.push(whyNot(words[0], stderr, failure))
  }
  return { why: `SLURM_JOB_END_TIME does not tell it, ${whys.join(', ')}` }
}

function whyNot(program: string, stderr: string, failure: ProgramAnswer['failure']): string {
  if (failure === undefined) return `${program} names no time`
  const said = failure.how === 'ended' ? lastWords(stderr) : undefined
  if (said !== undefined) return `${program} says "${said}"`
  return `${program}${failure.how === 'not started' ? ':' : ''} ${failure.why}`
}

/** The user's own wishes for what the commands show, and in what form, are for his eyes. */
function asked(env: Environment): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !/^(SQUEUE|SCONTROL)_/.test(name))
  return { ...Object.fromEntries(others), SLURM_TIME_FORMAT: '%s' }
}

/** Of the variables of a job what {@link slurmJobEnd} needs: for a process that is to know no others. */
export function jobEndVariables(env: Environment): Readonly<Record<string, string>> {
  const names = ['SLURM_JOB_ID', 'SLURM_JOBID', 'SLURM_JOB_END_TIME', 'SLURM_CONF']
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
