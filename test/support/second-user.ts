import { execFile, spawnSync } from 'node:child_process'
import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test as anyTest } from 'vitest'

const run = promisify(execFile)

/** An ordinary user of this machine, known by number alone: nothing is added to /etc/passwd. */
export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Numbers that systemd leaves to nobody, and containers map to themselves: 60578 to 60705. */
export const user: User = { name: 'user', uid: 60_601, gid: 60_601 }
/** Somebody else on the same machine, who is in a group with {@link user}. */
export const stranger: User = { name: 'stranger', uid: 60_602, gid: 60_602 }
/** The group in which both are. */
export const commonGroup = 60_603

/** Whether commands can be run as other users; in CI they have to be. */
export const canBeOthers = process.env.CI === 'true' || (process.getuid?.() === 0 && hasSetpriv())

function hasSetpriv(): boolean {
  return spawnSync(...asUser(user, ['true'])).status === 0
}

/** A test with commands of other users: skipped, with the reason, where those cannot be run, except in CI. */
export const test = anyTest.extend<{ others: undefined }>({
  others: [
    async ({ skip }, use) => {
      skip(!canBeOthers, 'only root can run commands as other users, with setpriv')
      await use(undefined)
    },
    { auto: true },
  ],
})

/** A command line that runs `command` as `who`, in the same process and without any of our privileges. */
export function asUser(who: User, command: readonly [string, ...string[]]): [string, string[]] {
  const { uid, gid } = who
  const as = [`--reuid=${uid}`, `--regid=${gid}`, `--groups=${commonGroup}`, '--inh-caps=-all']
  return ['setpriv', [...as, '--', ...command]]
}

/** What `who` has of the environment besides PATH; `home` is made by the caller. */
export function environmentOf({ name }: User, home: string): NodeJS.ProcessEnv {
  return {
    HOME: home,
    USER: name,
    LOGNAME: name,
    SHELL: '/bin/sh',
    XDG_CACHE_HOME: undefined,
    XDG_RUNTIME_DIR: undefined,
  }
}

/** Runs a shell script as `who`, with `args` as $1, $2…; what it prints. Rejects where it fails. */
export async function shellAs(who: User, script: string, ...args: readonly string[]): Promise<string> {
  const [command, all] = asUser(who, ['/bin/sh', '-euc', script, 'sh', ...args])
  const { stdout } = await run(command, all, { cwd: '/', env: { PATH: process.env.PATH, ...environmentOf(who, '/') } })
  return stdout
}

/**
 * Makes a directory in which both users may write: `sticky` like /tmp, where nobody may remove what is
 * another's, or `group` like a project's, where both may.
 */
export async function makeShared(parent: string, name: string, kind: 'sticky' | 'group'): Promise<string> {
  const path = join(parent, name)
  await mkdir(path)
  if (kind === 'group') await chown(path, 0, commonGroup)
  await chmod(path, kind === 'sticky' ? 0o1777 : 0o2770)
  return path
}

/** Makes a directory of `who` alone. */
export async function makePrivate(who: User, path: string): Promise<string> {
  await mkdir(path)
  await chown(path, who.uid, who.gid)
  await chmod(path, 0o700)
  return path
}

/**
 * Where root runs the tests, who may write everywhere: gives `directory` to `who`, and does `work` in this process with no more
 * rights to files than he has. Elsewhere `work` has those of this user.
 */
export async function withRightsOf(who: User, directory: string, work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) {
    await work()
    return
  }
  await chown(directory, who.uid, who.gid)
  process.seteuid?.(who.uid)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}

/** Whether `who` can run this program, which may stand where nobody else may look. */
export function canRun(who: User, command: readonly [string, ...string[]]): boolean {
  return spawnSync(...asUser(who, command), { cwd: '/', stdio: 'ignore' }).status === 0
}
