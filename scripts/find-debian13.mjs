// Finds the Python of Debian 13 with its Dask, or unpacks it beside this machine's own system. As a
// program: the Python on standard output, the story on standard error; status 1 where it cannot run here.
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = 'python3-distributed'
const apt = '/usr/bin/apt-get'
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dask-hpc-runner')
const system = join(cache, 'debian-13')
const unpack = fileURLToPath(new URL('unpack-debian13.sh', import.meta.url))

/**
 * The Python of Debian 13. It is as good as one of this machine's own: same process, same files,
 * same network. Unpacking it takes a minute, once.
 *
 * @returns {string} an executable that takes the arguments of `python3`
 * @throws Error where it cannot run here, with the reason and what to do
 */
export function findDebian13() {
  const cannot = 'Cannot run Debian 13 here'
  if (process.platform !== 'linux') throw new Error(`${cannot}: this is not Linux`)
  if (process.getuid?.() !== 0) throw new Error(`${cannot}: only root can mount it`)
  if (!run('unshare', ['--mount', 'true'], 10_000))
    throw new Error(`${cannot}: this machine grants no mount namespaces (a container needs --privileged)`)
  if (!isLink('/bin') || !isLink('/lib')) throw new Error(`${cannot}: /bin and /lib of this machine are not in /usr`)
  if (!isUnpacked()) get(cannot)
  return writePython()
}

/** @param {string} cannot */
function get(cannot) {
  if (!isExecutable('/usr/sbin/debootstrap')) install()
  if (!isExecutable('/usr/sbin/debootstrap'))
    throw new Error(`${cannot}: debootstrap could not be installed; try "apt-get install debootstrap"`)
  const mirror = findMirror()
  if (mirror === undefined) throw new Error(`${cannot}: apt knows no mirror of Debian; add one to its sources`)
  process.stderr.write(`Debian 13: unpacking ${packages} and what it needs into ${system}, which takes a minute\n`)
  mkdirSync(cache, { recursive: true })
  // Whoever comes second waits for the lock, and finds the work done. What is started here ends together.
  const lock = ['--timeout', '900', `${system}.lock`]
  const limit = ['timeout', '--foreground', '--kill-after=5', '600']
  const alone = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const done = run('flock', [...lock, ...limit, ...alone, 'sh', unpack, system, mirror, packages], 1_600_000)
  if (!done || !isUnpacked()) throw new Error(`${cannot}: unpacking it failed; ${system}.log says why`)
}

function isUnpacked() {
  try {
    return readFileSync(join(system, 'complete'), 'utf8') === packages
  } catch {
    return false
  }
}

function install() {
  if (!isExecutable(apt)) return
  const wanted = ['debootstrap', 'debian-archive-keyring']
  process.stderr.write(`Debian 13: trying the Debian packages ${wanted.join(', ')}\n`)
  const arguments_ = ['install', '-y', '-qq', '--no-install-recommends', ...wanted]
  // A fresh container has no package lists, and old lists name packages that are gone.
  if (run(apt, arguments_, 600_000)) return
  run(apt, ['update', '-qq'], 300_000)
  run(apt, arguments_, 600_000)
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
  run(apt, ['update', '-qq'], 300_000)
  return mirror()
}

/**
 * Everything of this machine stays as it is but /usr, and that only for the process that this starts
 * and its descendants. This Node stays where it is in /usr too, for the JavaScript of tasks. All steps are `exec`, so that signals, process group and open files are Python's.
 */
function writePython() {
  const python = `${system}-python`
  const node = process.execPath
  const place = join(system, node)
  if (node.startsWith('/usr/') && !existsSync(place)) {
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, '', { mode: 0o755 })
  }
  const keep = node.startsWith('/usr/') ? `/usr/bin/mount --bind ${quote(node)} ${quote(place)}` : 'true'
  const text = `#!/bin/bash
exec /usr/bin/unshare --mount --propagation private /bin/bash -c '
eval "$2" && /usr/bin/mount --bind -o ro "$1/ld.so.cache" /etc/ld.so.cache && /usr/bin/mount --rbind -o ro "$1/usr" /usr || exit 126
exec -a "$0" /usr/bin/python3 "\${@:3}"' ${quote(python)} ${quote(system)} ${quote(keep)} "$@"
`
  const temporary = `${python}.${process.pid}`
  writeFileSync(temporary, text, { mode: 0o755 })
  renameSync(temporary, python)
  return python
}

/** @param {string} text */
function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** @param {string} path */
function isLink(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} timeout in milliseconds
 */
function run(command, args, timeout) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const result = spawnSync(command, args, { env, stdio: ['ignore', 2, 2], timeout, killSignal: 'SIGKILL' })
  return result.status === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${findDebian13()}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
