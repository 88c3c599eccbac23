// Programs and packages of Debian, for what the tests need of a machine. Needs nothing but Node.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'

/** What Debian asks whether a daemon may be started that was installed. */
const policy = '/usr/sbin/policy-rc.d'

/**
 * Installs packages, where this is a Debian and we are root. No daemon of them starts by itself.
 *
 * @param {string} what for messages
 * @param {readonly string[]} packages
 */
export function install(what, packages) {
  if (process.getuid?.() !== 0 || !isExecutable('/usr/bin/apt-get')) return
  process.stderr.write(`${what}: trying the Debian packages ${packages.join(', ')}\n`)
  const isOurs = !existsSync(policy)
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    installQuietly(packages)
  } finally {
    if (isOurs) rmSync(policy, { force: true })
  }
}

/** @param {readonly string[]} packages */
function installQuietly(packages) {
  const arguments_ = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  // A fresh container has no package lists, and old lists name packages that are gone.
  if (succeeds('apt-get', arguments_, 600_000)) return
  succeeds('apt-get', ['update', '-qq'], 300_000)
  succeeds('apt-get', arguments_, 600_000)
}

/**
 * Whether a program ends with status 0; its output goes to standard error.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} timeout in milliseconds
 * @param {{ readonly quiet?: boolean }} [options] quiet: its errors are not shown
 */
export function succeeds(command, args, timeout, { quiet = false } = {}) {
  const result = spawnSync(command, args, {
    cwd: '/', // away from folders that look like Python packages
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 2, quiet ? 'ignore' : 2],
    timeout,
    killSignal: 'SIGKILL',
  })
  return result.status === 0
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
