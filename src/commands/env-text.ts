import { twinsOf } from '../util/container-twins.ts'
import { shellWord } from '../util/shell-word.ts'
import { type JoinEnvironment, joinVariables } from './env.ts'

/** Lines for the `eval` of a POSIX shell. */
export function shellLines(environment: JoinEnvironment): string {
  return Object.entries(joinVariables(environment))
    .map(([name, value]) => `export ${name}=${shellWord(value)}\n`)
    .join('')
}

/** Two lines for a notebook, in which Dask may have been imported already. */
export function pythonLines(environment: JoinEnvironment): string {
  const { schedulerAddress, tls } = environment
  const pairs = Object.entries(joinVariables(environment)).map(([name, value]) => `${word(name)}: ${word(value)}`)
  const security =
    tls === undefined
      ? ''
      : `, security=Security(tls_ca_file=${word(tls.caFile)}, tls_client_cert=${word(tls.cert)}, ` +
        `tls_client_key=${word(tls.key ?? tls.cert)}, require_encryption=True)`
  return (
    `import os; os.environ.update({${pairs.join(', ')}})\n` +
    `from dask.distributed import Client${tls === undefined ? '' : ', Security'}; client = Client(${word(schedulerAddress)}${security})\n`
  )
}

/** A JSON string is a Python string. */
function word(text: string): string {
  return JSON.stringify(text)
}

/** Lines for the shell that has evaluated {@link shellLines}: what names what is removed, and nothing else. */
export function unsetLines(
  env: Readonly<NodeJS.ProcessEnv>,
  { schedulerFile, directories }: { readonly schedulerFile: string; readonly directories: readonly string[] },
): string {
  const ofCluster =
    env.DASK_HPC_RUNNER_SCHEDULER_FILE === schedulerFile && env.DASK_SCHEDULER_ADDRESS !== undefined
      ? ['DASK_SCHEDULER_ADDRESS', 'DASK_HPC_RUNNER_SCHEDULER_FILE']
      : []
  const ofTls = Object.keys(env).filter(
    (name) =>
      // A variable may have any name, and this is evaluated.
      /^DASK_DISTRIBUTED__COMM__TLS__[A-Z_]+$/.test(name) &&
      directories.some((directory) => env[name]?.startsWith(`${directory}/`)),
  )
  const all = [...ofCluster, ...ofTls, ...(ofTls.length > 0 ? ['DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION'] : [])]
  const twins = all.flatMap(twinsOf).filter((name) => name in env)
  return [...all, ...twins].map((name) => `unset ${name}\n`).join('')
}
