import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { joinVariables } from '../../src/commands/env.ts'
import { pythonLines, shellLines, unsetLines } from '../../src/commands/env-text.ts'

const odd = `/it's/"a"/$(touch x)/\`b\`/\\n/é😀`
const secure = {
  schedulerAddress: 'tls://10.0.0.1:8786',
  schedulerFile: odd,
  tls: { caFile: `${odd}/ca.pem`, cert: '/c d/cert.pem', key: '/c d/key.pem' },
  kept: true,
}

it('what a shell evaluates is what was meant, whatever is in a path', () => {
  const show =
    'printf "%s|" "$DASK_SCHEDULER_ADDRESS" "$DASK_HPC_RUNNER_SCHEDULER_FILE" "$DASK_DISTRIBUTED__COMM__TLS__CA_FILE"'
  const shown = execFileSync('/bin/sh', ['-c', `set -eu; eval "$LINES_OF_ENV"; ${show}`], {
    env: { LINES_OF_ENV: shellLines(secure) },
  })
  expect(String(shown)).toBe(`tls://10.0.0.1:8786|${odd}|${odd}/ca.pem|`)
})

it('a shell gets nothing but exports', () => {
  const lines = shellLines(secure).trimEnd().split('\n')
  expect(lines.filter((line) => !/^export [A-Z_]+='/.test(line))).toEqual([])
  expect(lines).toContain("export DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY='/c d/key.pem'")
})

it('a plain cluster needs no certificate', () => {
  const plain = { schedulerAddress: 'tcp://10.0.0.1:8786', schedulerFile: undefined, tls: undefined, kept: false }
  const names = [
    'DASK_SCHEDULER_ADDRESS',
    'APPTAINERENV_DASK_SCHEDULER_ADDRESS',
    'SINGULARITYENV_DASK_SCHEDULER_ADDRESS',
  ]
  expect(shellLines(plain)).toBe(names.map((name) => `export ${name}='tcp://10.0.0.1:8786'\n`).join(''))
  expect(pythonLines(plain)).toBe(
    `import os; os.environ.update({${names.map((name) => `"${name}": "tcp://10.0.0.1:8786"`).join(', ')}})\n` +
      'from dask.distributed import Client; client = Client("tcp://10.0.0.1:8786")\n',
  )
})

it('what a shell has evaluated is unset, with what is there for containers', () => {
  const env = joinVariables(secure)
  const lines = unsetLines({ ...env, PATH: '/bin' }, { schedulerFile: odd, directories: [odd, '/c d'] })
  const unset = lines.match(/(?<=unset ).+/g) ?? []
  expect(unset.sort()).toEqual(Object.keys(env).sort())
  expect(unset).toContain('APPTAINERENV_DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION')
})

it('only what names this cluster is unset', () => {
  const env = {
    DASK_SCHEDULER_ADDRESS: 'tls://10.0.0.1:8786',
    DASK_HPC_RUNNER_SCHEDULER_FILE: '/F.json',
    DASK_DISTRIBUTED__COMM__TLS__CA_FILE: '/kept/ca.pem',
    DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION: 'True',
    'DASK_DISTRIBUTED__COMM__TLS__$(touch x)': '/kept/ca.pem',
    PATH: '/kept/bin',
  }
  const names = (schedulerFile: string, directory: string): string[] =>
    unsetLines(env, { schedulerFile, directories: [directory] }).match(/(?<=unset ).+/g) ?? []
  expect(names('/F.json', '/kept')).toEqual(Object.keys(env).slice(0, 4))
  expect(names('/G.json', '/ke')).toEqual([])
})
