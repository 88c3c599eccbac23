// Unpacks another Debian beside this machine's own, and writes a Python that runs in it.
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install, isExecutable, succeeds } from './debian.mjs'

const apt = '/usr/bin/apt-get'
const debootstrap = '/usr/sbin/debootstrap'
const script = fileURLToPath(new URL('unpack-debian.sh', import.meta.url))

/** Where other systems are kept. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dask-hpc-runner')

/**
 * @typedef {object} Debian
 * @property {string} title for messages: `Debian 13`
 * @property {string} suite
 * @property {string} name of its directory in the cache
 * @property {string} packages with commas between them
 */

/**
 * Unpacks a Debian, once.
 *
 * @param {Debian} debian
 * @returns {string} the directory with its `usr`, its `etc` and its `ld.so.cache`
 * @throws Error where it cannot run here, with the reason and what to do
 */
export function unpackDebian(debian) {
  const cannot = `Cannot run ${debian.title} here`
  if (process.platform !== 'linux') throw new Error(`${cannot}: this is not Linux`)
  if (process.getuid?.() !== 0) throw new Error(`${cannot}: only root can mount it`)
  if (!succeeds('unshare', ['--mount', 'true'], 10_000))
    throw new Error(`${cannot}: this machine grants no mount namespaces (a container needs --privileged)`)
  if (!isLink('/bin') || !isLink('/lib')) throw new Error(`${cannot}: /bin and /lib of this machine are not in /usr`)
  if (!isUnpacked(debian)) get(debian, cannot)
  return systemOf(debian)
}

/**
 * @param {Debian} debian
 * @param {string} cannot
 */
function get(debian, cannot) {
  const { title, suite, packages } = debian
  const system = systemOf(debian)
  if (!isExecutable(debootstrap)) install(title, ['debootstrap', 'debian-archive-keyring'])
  if (!isExecutable(debootstrap))
    throw new Error(`${cannot}: debootstrap could not be installed; try "apt-get install debootstrap"`)
  const mirror = findMirror()
  if (mirror === undefined) throw new Error(`${cannot}: apt knows no mirror of Debian; add one to its sources`)
  process.stderr.write(
    `${title}: unpacking ${packages} and what they need into ${system}, which takes a minute or more\n`,
  )
  mkdirSync(cache, { recursive: true })
  // Whoever comes second waits for the lock, and finds the work done. What is started here ends together.
  const lock = ['--timeout', '900', `${system}.lock`]
  const limit = ['timeout', '--foreground', '--kill-after=5', '900']
  const alone = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const unpack = ['sh', script, system, suite, mirror, packages]
  const done = succeeds('flock', [...lock, ...limit, ...alone, ...unpack], 1_900_000)
  if (!done || !isUnpacked(debian)) throw new Error(`${cannot}: unpacking it failed; ${system}.log says why`)
}

/** @param {Debian} debian */
function systemOf({ name }) {
  return join(cache, name)
}

/** @param {Debian} debian */
function isUnpacked(debian) {
  try {
    return readFileSync(join(systemOf(debian), 'complete'), 'utf8') === debian.packages
  } catch {
    return false
  }
}

/** The mirror that this machine gets its own Debian from; apt knows whose it is once it has the lists. */
function findMirror() {
  const mirror = () => {
    const format = ['--format', '$(ORIGIN)/$(LABEL) $(REPO_URI)', 'Created-By: Packages']
    const { stdout } = spawnSync(apt, ['indextargets', ...format], { encoding: 'utf8', timeout: 60_000 })
    return /^Debian\/Debian (https?:.*)$/m.exec(stdout ?? '')?.[1]
  }
  const known = mirror()
  if (known !== undefined) return known
  succeeds(apt, ['update', '-qq'], 300_000)
  return mirror()
}

/**
 * Commands of a shell in a mount namespace of its own, after which everything of this machine stays as it is but
 * /usr. This Node stays where it is in /usr too, for the JavaScript of tasks.
 *
 * @param {string} system
 */
export function mountUsr(system) {
  const node = process.execPath
  const place = join(system, node)
  const isInUsr = node.startsWith('/usr/')
  if (isInUsr && !existsSync(place)) {
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, '', { mode: 0o755 })
  }
  return [
    ...(isInUsr ? [`/usr/bin/mount --bind ${quote(node)} ${quote(place)}`] : []),
    `/usr/bin/mount --bind -o ro ${quote(join(system, 'ld.so.cache'))} /etc/ld.so.cache`,
    `/usr/bin/mount --rbind -o ro ${quote(join(system, 'usr'))} /usr`,
  ].join(' && ')
}

/**
 * The same, and this system's /etc too, but for the names of hosts: for launchers, which have their settings and the
 * links to their programs there.
 *
 * @param {string} system
 */
export function mountSystem(system) {
  const etc = join(system, 'etc')
  const kept = ['hosts', 'resolv.conf', 'hostname'].flatMap((name) => {
    if (!existsSync(join('/etc', name))) return []
    const place = join(etc, name)
    // A link to a file that is not there is no place to mount on. Other cells may have mounted on what is one.
    if (lstatSync(place, { throwIfNoEntry: false })?.isFile() !== true) {
      rmSync(place, { force: true })
      writeFileSync(place, '')
    }
    return [`/usr/bin/mount --bind /etc/${name} ${quote(place)}`]
  })
  const mountEtc = `/usr/bin/mount --rbind -o ro ${quote(etc)} /etc`
  return [...kept, mountUsr(system), mountEtc].join(' && ')
}

/**
 * Writes a program that is this system's Python. It is as good as one of this machine's own: same process, same files,
 * same network; only it and its descendants see another /usr. All steps are `exec`, so that signals, process group and
 * open files are Python's.
 *
 * @param {string} system
 * @returns {string} an executable that takes the arguments of `python3`
 */
export function writePython(system) {
  const python = `${system}-python`
  return writeProgram(
    python,
    `#!/bin/bash
exec /usr/bin/unshare --mount --propagation private /bin/bash -c '
eval "$1" || exit 126
exec -a "$0" /usr/bin/python3 "\${@:2}"' ${quote(python)} ${quote(mountUsr(system))} "$@"
`,
  )
}

/**
 * Puts a program in place, whoever runs it now.
 *
 * @param {string} path
 * @param {string} text
 */
export function writeProgram(path, text) {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text, { mode: 0o755 })
  renameSync(temporary, path)
  return path
}

/** @param {string} text */
export function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** @param {string} path */
function isLink(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
}
