import { describePython, type PythonDescription } from '../../python/describe-python.ts'
import { pythonOfCommand } from '../../python/python-of-command.ts'
import { adviseOnScript, type ScriptPlace } from '../../python/script-advice.ts'
import { about, type Finding, found } from './finding.ts'
import { lookMs } from './probe.ts'
import { differences } from './versions.ts'

const { ok, note, problem } = about('client')

/** The program that the run is for. */
export interface ClientFacts {
  readonly command: readonly [string, ...string[]]
  /** The Python that it runs in; undefined where it is no Python program as far as can be seen. */
  readonly python: PythonDescription | undefined
  /** What is to be said of its script. */
  readonly advice: readonly string[]
}

/** How long a Python may take to answer, and where the program would run. */
export interface LookOptions extends ScriptPlace {
  /** In milliseconds. */
  readonly timeout: number
}

/** In which Python a command would run, and what there is to say of its script. */
export async function lookAtClient(
  command: readonly [string, ...string[]],
  { timeout, ...place }: LookOptions,
): Promise<ClientFacts> {
  const { env } = place
  const python = await pythonOfCommand(command, env, { timeout, filesystemTimeout: lookMs })
  return {
    command,
    python: python === undefined ? undefined : await describePython(python, { env, timeout }),
    advice: (await adviseOnScript(command, place)).map(({ text }) => text),
  }
}

/**
 * Judges the client program's Python beside that of the cluster, which is undefined where it is not known.
 */
export function checkClient(
  { command, python }: Omit<ClientFacts, 'advice'>,
  cluster: PythonDescription | undefined,
): Finding[] {
  const said = command.join(' ')
  if (python === undefined)
    return [note(`"${said}" is no Python program as far as can be seen; its Dask was not looked at`)]
  if (python.packages.distributed === undefined)
    return [
      problem(
        `"${said}" runs in ${python.executable}, which has no module distributed`,
        'name the Python that has it in the command, or activate its environment in the job script',
      ),
    ]
  if (cluster === undefined) return [ok(`"${said}" runs in ${python.executable}`)]
  const places = `"${said}" runs in ${python.executable}, scheduler and workers in ${cluster.executable}`
  const advice = 'activate one environment for the whole job, or name its Python by --python'
  const findings = differences(python, cluster).map(([level, texts]) =>
    found(level, 'client', `${places}: ${texts.join(', ')}`, advice),
  )
  if (findings.length > 0) return findings
  return python.executable === cluster.executable
    ? [ok(`"${said}" runs in the same Python`)]
    : [ok(`${places}, of the same versions`)]
}
