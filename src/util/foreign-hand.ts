import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { errnoOf } from '../errors.ts'
import { shellPath } from './shell-path.ts'

/** Whoever may write the program that runs may do so with what it loads. In numbers of users, beside root and ourselves. */
type Owners = readonly number[]

/**
 * Who else could change what is loaded from `path`, as part of a sentence: `"/a/b" belongs to the user 1001`. Undefined
 * if nobody could: the file, and each directory on the way to it, belong to this user, root or one of `owners`, and
 * nobody else may write them. Two things that look like it are borne:
 *
 * - a directory in which everybody may write but not rename what is another's, such as /tmp, on the way to one of ours;
 * - the group that is this user's own, of the same name and with no other member, as many systems have it by default.
 *
 * (An access control list counts as the group, because the system shows it so.)
 *
 * @throws Error where something cannot be looked at.
 */
export function foreignHand(path: string, owners: Owners = []): string | undefined {
  const real = realpathSync(path)
  return foreignHandOnWay(dirname(real), owners) ?? judge(real, lstatSync(real), owners)
}

/** The same for a directory with all that is in it. */
export function foreignHandInTree(directory: string, owners: Owners = []): string | undefined {
  const outside = foreignHand(directory, owners)
  if (outside !== undefined) return outside
  for (const entry of readdirSync(realpathSync(directory), { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const found = entry.isSymbolicLink() ? foreignHand(path, owners) : judge(path, lstatSync(path), owners)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Who else could put something in the place of what this user makes in `directory`, an absolute path: each directory and
 * link on the way to it, itself included, has to be one in which nobody else can rename what is ours. It may be sticky.
 *
 * @param mayBeMissing judge what there is of the way, where this user will make the rest
 * @throws Error where something cannot be looked at.
 */
export async function foreignHandOnNames(
  directory: string,
  { mayBeMissing = false }: { readonly mayBeMissing?: boolean } = {},
): Promise<string | undefined> {
  try {
    for await (const [path, stats] of wayTo(directory)) {
      // What is no directory has no names in it: whoever uses it is told.
      const onWay = stats.isDirectory() ? judgeOnWay(path, stats, []) : undefined
      const found = stats.isSymbolicLink() ? judge(path, withoutWriters(stats), unmappedOwner()) : onWay
      if (found !== undefined) return found
    }
  } catch (error) {
    if (!mayBeMissing || errnoOf(error) !== 'ENOENT') throw error
  }
  return undefined
}

/** As many links as Linux follows. */
const mostLinks = 40

/**
 * All that is on the way to an absolute path: the directories, the links, those on the way to where these lead, and at last what
 * stands there.
 *
 * @throws a system error, as where it has too many links.
 */
export async function* wayTo(path: string): AsyncGenerator<readonly [path: string, stats: Stats]> {
  const steps = ['.', ...path.split('/')]
  let at = '/'
  let links = 0
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    // Also from `..` and a slash at the end, which are after a link of its target.
    const next = join(at, step)
    const stats = await lstat(next)
    yield [next, stats]
    if (!stats.isSymbolicLink()) {
      at = next
      continue
    }
    if (++links > mostLinks)
      throw Object.assign(new Error(`ELOOP: more than ${mostLinks} symbolic links, "${path}"`), { code: 'ELOOP' })
    const target = await readlink(next)
    if (isAbsolute(target)) at = '/'
    steps.unshift(...target.split('/'))
  }
}

function foreignHandOnWay(directory: string, owners: Owners): string | undefined {
  const above = dirname(directory)
  const found = above === directory ? undefined : foreignHandOnWay(above, owners)
  if (found !== undefined) return found
  return judgeOnWay(directory, lstatSync(directory), owners)
}

function judgeOnWay(directory: string, stats: Stats, owners: Owners): string | undefined {
  const keepsNames = (stats.mode & sticky) !== 0
  return judge(directory, keepsNames ? withoutWriters(stats) : stats, [...owners, ...unmappedOwner()])
}

/**
 * In a user namespace, such as that of a container without privileges, root of the machine has no number, and what is
 * his seems to belong to this user, as everything does of whoever has none there: it cannot be told apart.
 */
function unmappedOwner(): Owners {
  try {
    if (/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))) return []
    return [Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'))]
  } catch {
    // No Linux.
    return []
  }
}

const sticky = 0o1000

function withoutWriters({ uid, gid, mode }: Stats): Pick<Stats, 'uid' | 'gid' | 'mode'> {
  return { uid, gid, mode: mode & ~0o022 }
}

function judge(
  path: string,
  { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  owners: Owners,
): string | undefined {
  const self = process.geteuid?.() ?? 0
  if (uid !== 0 && uid !== self && !owners.includes(uid)) return `"${path}" belongs to the user ${uid}`
  const writers = otherWriters({ uid, gid, mode })
  return writers === undefined ? undefined : `${writers} may write "${path}" (mode ${(mode & 0o7777).toString(8)})`
}

/** Who may write it beside its owner and root: `everybody`, `the group 1001`, or undefined. */
export function otherWriters({ uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>): string | undefined {
  if ((mode & 0o002) !== 0) return 'everybody'
  if ((mode & 0o020) !== 0 && !(uid === 0 && gid === 0) && !isOwnGroup(gid)) return `the group ${gid}`
  return undefined
}

/** Whether a group is this user's own: of the user's name, with no other member. */
function isOwnGroup(gid: number): boolean {
  try {
    const { username, gid: primary } = userInfo()
    if (gid !== primary) return false
    const options = { encoding: 'utf8', timeout: 5_000, stdio: 'pipe', env: { PATH: shellPath() } } as const
    const line = execFileSync('getent', ['group', String(gid)], options)
    const [name, , , members = ''] = line.trim().split(':')
    return name === username && members.split(',').every((member) => member === '' || member === username)
  } catch {
    // Nobody knows of such a group or user.
    return false
  }
}
