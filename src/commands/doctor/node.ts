import type { Environment } from '../../identity/environment.ts'
import { type Finding, found } from './finding.ts'

/** What is known of the Node that we run in. */
export interface NodeFacts {
  /** Our own version. */
  readonly program: string
  /** Such as `20.19.0`. */
  readonly version: string
  readonly env: Environment
}

/** The oldest Node that we support. */
const oldest = [20, 19] as const

/** Judges Node itself and the variables that act on it. */
export function checkNode({ program, version, env }: NodeFacts): Finding[] {
  const findings = [checkVersion(program, version)]
  const certificates = env.NODE_EXTRA_CA_CERTS
  if (isSet(certificates))
    findings.push(
      found(
        'note',
        'node',
        `NODE_EXTRA_CA_CERTS is "${certificates}": each process reads all of these certificates at its start, which can cost more than Node itself`,
        'unset NODE_EXTRA_CA_CERTS in the job script',
      ),
    )
  const options = env.NODE_OPTIONS
  if (isSet(options))
    findings.push(
      options.includes('--inspect')
        ? found(
            'warning',
            'node',
            `NODE_OPTIONS is "${options}": each process opens a debugger, through which others can run code as you`,
            'unset NODE_OPTIONS in the job script',
          )
        : found('note', 'node', `NODE_OPTIONS is "${options}", which acts on each process of a run`),
    )
  return findings
}

function checkVersion(program: string, version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor, oldestMinor] = oldest
  const old = major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
  const finding = `${version}, dask-hpc-runner ${program}`
  return old
    ? found(
        'problem',
        'node',
        `${finding}; it takes ${oldestMajor}.${oldestMinor} or newer`,
        'load a newer Node in the job script',
      )
    : found('ok', 'node', finding)
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== ''
}
