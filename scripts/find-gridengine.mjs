// Finds what a Grid Engine of several hosts on this machine needs beside what a Slurm needs, or gets it from Debian.
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { findSlurm } from './find-slurm.mjs'
import { install, isExecutable } from './debian.mjs'

const packages = ['gridengine-master', 'gridengine-exec', 'gridengine-client']
const programs = ['/usr/sbin/sge_qmaster', '/usr/sbin/sge_execd', '/usr/bin/qsub', '/usr/bin/qrsh']

/**
 * Makes sure that a Grid Engine of several hosts can run here, in namespaces, with Debian's packages.
 *
 * @throws Error where it cannot, with the reason and what to do
 */
export function findGridEngine() {
  findSlurm()
  if (missing().length === 0) return
  if (process.getuid?.() === 0 && isExecutable('/usr/bin/debconf-set-selections')) withoutCell()
  install('Grid Engine', packages)
  const left = missing()
  if (left.length > 0)
    throw new Error(
      `Cannot run Grid Engine here: ${left.join(', ')} could not be installed; try "apt-get install ${packages.join(' ')}"`,
    )
}

/** The packages are to make no cell of this machine, and to start no daemons: each test has its own. */
function withoutCell() {
  const answers = ['gridengine-common', ...packages].map((name) => `${name} shared/gridengineconfig boolean false\n`)
  spawnSync('debconf-set-selections', { input: answers.join(''), stdio: ['pipe', 2, 2] })
  const defaults = '/etc/default/gridengine'
  if (!existsSync(defaults)) writeFileSync(defaults, 'SGE_START_MASTERD=no\nSGE_START_EXECD=no\n')
}

function missing() {
  return programs.filter((program) => !isExecutable(program))
}
