import type { RunContext } from '../identity/run-context.ts'
import { describePython, type PythonDescription } from '../python/describe-python.ts'
import { isInEnvironment } from '../python/environment-runner.ts'
import { askPython, findPython, isSamePython, type PythonAnswer } from '../python/find-python.ts'
import { findProgram, pythonOfCommand } from '../python/python-of-command.ts'
import { formatVersions, type DaskVersions } from '../record/cluster-record.ts'
import { settledWithin } from '../util/wait.ts'

/** How long the end of a program that has failed waits for what is said of its Python, which may be slow to start. In milliseconds. */
const atFailureMs = 10_000

/** The Python of the client program. */
interface OwnPython {
  readonly path: string
  /** Whether it has Dask. */
  readonly answer: PythonAnswer
}

/** What the program's Python is compared with. */
export interface ClusterPython {
  /** Known once the scheduler runs; undefined of one that this run has not started. */
  readonly versions: Promise<DaskVersions | undefined>
  /** The Python that has Dask on this host. */
  readonly path: () => Promise<string>
}

/**
 * Says, once, if the client program runs in a Python that has no Dask, or another one than the cluster's: Dask refuses or
 * warns then, and a program without Dask fails with a bare ModuleNotFoundError. Throws nothing.
 */
export class ProgramPython {
  readonly #command: readonly [string, ...string[]]
  readonly #run: Pick<RunContext, 'logger' | 'options' | 'identity'>
  readonly #cluster: ClusterPython
  readonly #own: Promise<OwnPython | undefined>
  #versions: DaskVersions | undefined
  #isSaid = false

  constructor(
    command: readonly [string, ...string[]],
    run: Pick<RunContext, 'logger' | 'options' | 'identity'>,
    cluster: ClusterPython,
  ) {
    this.#command = command
    this.#run = run
    this.#cluster = cluster
    this.#own = this.#findOwn().catch(() => undefined)
  }

  /** Says it as soon as the cluster is there, as far as that takes no more than a question to the two Pythons. */
  async warn(): Promise<void> {
    try {
      const own = await this.#own
      this.#versions = await this.#cluster.versions
      if (own === undefined || this.#versions === undefined) return
      await this.#compare(own)
    } catch {
      // It was only to warn.
    }
  }

  /** The program has failed: says it now, whatever is known of the cluster, or soon. */
  async warnAtFailure(): Promise<void> {
    if (this.#isSaid) return
    const said = this.#own.then(async (own) => own && (await this.#compare(own, true))).catch(() => undefined)
    await settledWithin(said, atFailureMs)
  }

  async #findOwn(): Promise<OwnPython | undefined> {
    const { logger, options } = this.#run
    const { env, rendezvousTimeout: timeout, filesystemTimeout } = options
    const named = await pythonOfCommand(this.#command, env, { timeout, filesystemTimeout })
    const path = named === undefined ? undefined : await findProgram(named, env, filesystemTimeout)
    if (path === undefined && isInEnvironment(this.#command))
      logger.warn(
        `it is not known in which Python "${this.#command.join(' ')}" runs: see that it is ${await findPython(options, env)}`,
      )
    if (path === undefined) return undefined
    if (options.python !== undefined && (await isSamePython(path, options.python, env))) return undefined
    const answer = await askPython(path, { env, timeout })
    // It takes its time to find another one.
    if (answer.executable === undefined) this.#cluster.path().catch(() => undefined)
    return { path, answer }
  }

  /** @param hasFailed whether its versions are worth a question, even if it is the same Python here */
  async #compare({ path, answer }: OwnPython, hasFailed = false): Promise<void> {
    const { env, rendezvousTimeout: timeout } = this.#run.options
    const cluster = await this.#clusterPath(answer)
    const isSame =
      answer.executable !== undefined && cluster !== undefined && (await isSamePython(answer.executable, cluster, env))
    if (isSame && (!hasFailed || this.#isAllHere)) return
    const own = await describePython(path, { env, timeout }).catch(() => undefined)
    const [ours, theirs] = [formatPython(own), this.#versions && formatVersions(this.#versions)]
    const ofCluster = `the cluster ${theirs === undefined ? 'in' : `${theirs} of`} ${cluster ?? 'another Python'}`
    // Its hosts have another Python in that place.
    const ofHosts = isSame ? `the cluster ${theirs ?? ''} on other hosts` : ofCluster
    if (answer.executable === undefined) {
      const version = own === undefined ? '' : ` (Python ${own.version})`
      const next = cluster === undefined ? '' : `, or start the program with ${cluster}`
      this.#say(
        `the client program runs in ${path}${version}, which ${answer.why}, and ${ofCluster}: ` +
          `activate one environment that has Dask for the whole job${next}`,
      )
    } else if (ours !== undefined && (!isSame || (theirs !== undefined && ours !== theirs)))
      this.#say(
        `the client program runs ${ours} of ${path}, ${ofHosts}: ` +
          'activate one environment for the whole job, or name the Python of the program by --python',
      )
  }

  /** Each process of the run finds the same Python, and the scheduler is one of them. */
  get #isAllHere(): boolean {
    const { identity, options } = this.#run
    return identity.nodes === 1 && options.scheduler
  }

  async #clusterPath(own: PythonAnswer): Promise<string | undefined> {
    const { env, python, rendezvousTimeout: timeout } = this.#run.options
    // What has Dask and is the program's own is taken before others.
    if (python === undefined) return own.executable ?? (await this.#cluster.path().catch(() => undefined))
    // The path of a wrapper: what it starts is the Python.
    return (await askPython(python, { env, timeout })).executable ?? python
  }

  #say(text: string): void {
    if (!this.#isSaid) this.#run.logger.warn(text)
    this.#isSaid = true
  }
}

function formatPython(own: PythonDescription | undefined): string | undefined {
  if (own === undefined) return undefined
  const { dask = '?', distributed = '?' } = own.packages
  return formatVersions({ python: own.version, dask, distributed })
}
