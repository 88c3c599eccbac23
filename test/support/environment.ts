import { readdirSync, readFileSync } from 'node:fs'

const slurmFixtures = new URL('../../fixtures/slurm/', import.meta.url)

/** Names of the environments captured from a Slurm cluster, without their ending. */
export function slurmCaptures(): string[] {
  return readdirSync(slurmFixtures)
    .filter((name) => name.endsWith('.env'))
    .map((name) => name.slice(0, -'.env'.length))
}

/** One of them, with `changes` made; a change to undefined removes the variable. */
export function slurmEnvironment(
  name: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> {
  return readEnvironment(new URL(`${name}.env`, slurmFixtures), changes)
}

/** The environment of one process under another system, as its documentation has it: the file says where that is. */
export function systemEnvironment(
  name: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> {
  return readEnvironment(new URL(`../../fixtures/systems/${name}.env`, import.meta.url), changes)
}

function readEnvironment(file: URL, changes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const text = readFileSync(file, 'utf8')
  const captured = text
    .split('\n')
    .filter((line) => line.includes('=') && !line.startsWith('#'))
    .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
  const env: Record<string, string> = {}
  for (const [variable, value] of [...captured, ...Object.entries(changes)]) {
    if (value === undefined) Reflect.deleteProperty(env, variable)
    else env[variable] = value
  }
  return env
}
