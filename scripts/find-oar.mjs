// Finds what an OAR of several hosts on this machine needs, or gets it from Debian.
import { existsSync } from 'node:fs'
import { install, isExecutable } from './debian.mjs'
import { findSlurm } from './find-slurm.mjs'

const packages = [
  'oar-server',
  'oar-server-pgsql',
  'oar-node',
  'oar-user',
  'oar-user-pgsql',
  'openssh-server',
  'postgresql',
]
const programs = ['/usr/sbin/Almighty', '/usr/bin/oarsub', '/usr/bin/oarsh', '/usr/sbin/sshd', '/usr/bin/psql']

/**
 * Makes sure that an OAR of several hosts can run here: as root, in namespaces like those of Slurm's hosts, with Debian's
 * packages and control groups of version 1, which OAR 2.5 knows its jobs by.
 *
 * @throws Error where it cannot, with the reason and what to do
 */
export function findOar() {
  findSlurm()
  if (!existsSync('/sys/fs/cgroup/cpuset/tasks'))
    throw new Error('Cannot run OAR here: this machine has no control groups of version 1')
  if (missing().length === 0) return
  install('OAR', packages)
  const left = missing()
  if (left.length > 0)
    throw new Error(
      `Cannot run OAR here: ${left.join(', ')} could not be installed; try "apt-get install ${packages.join(' ')}"`,
    )
}

function missing() {
  return programs.filter((program) => !isExecutable(program))
}
