import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { controllerName, type SlurmCluster } from '../slurm/slurm-cluster.ts'
import { expectKernel } from './filesystems.ts'

/**
 * Serves a directory by the kernel's NFS, version 3, from the host that submits jobs, and mounts it on every other host in place of
 * the shared directory, with the attribute cache of NFS as it is by default. The server sees its own directory, as one does.
 */
export async function mountNfs(slurm: SlurmCluster): Promise<void> {
  await expectKernel('nfs', 'an NFS client')
  await expectKernel('nfsd', 'an NFS server')
  // Slurm wants control groups to be its own as far as the first process, which a host's are not.
  await writeFile(join(slurm.base, 'etc/cgroup.conf'), 'CgroupPlugin=disabled\n')
  const server = (...command: string[]): Promise<string> => slurm.on(controllerName, command, { directory: '/' })
  await server('sh', '-c', 'mkdir -p /run/rpcbind /var/lib/nfs && touch /var/lib/nfs/etab /var/lib/nfs/rmtab')
  await server('mount', '-t', 'nfsd', 'nfsd', '/proc/fs/nfsd')
  await server('rpcbind', '-w')
  await server('exportfs', '-i', '-o', 'rw,no_root_squash,insecure,no_subtree_check,fsid=0', `*:${slurm.shared}`)
  // Version 4 keeps everybody waiting who opens a file before its server has a daemon that remembers clients.
  await server('rpc.mountd', '--no-nfs-version', '4')
  await server('rpc.nfsd', '--no-nfs-version', '4', '8')
  const source = `${slurm.host(controllerName).address}:${slurm.shared}`
  for (const host of slurm.nodes)
    await slurm.on(host, ['mount', '-t', 'nfs', '-o', 'vers=3,nolock', source, slurm.shared], { directory: '/' })
}
