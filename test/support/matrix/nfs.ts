import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { controllerName, type SlurmCluster } from '../slurm/slurm-cluster.ts'
import { expectKernel } from './filesystems.ts'

/**
 * Serves a directory by the kernel's NFS from the host that submits jobs, and mounts it on every other host in place of
 * the shared directory, with the attribute cache of NFS as it is by default. The server sees its own directory, as one does.
 */
export async function mountNfs(slurm: SlurmCluster): Promise<void> {
  await expectKernel('nfs4', 'an NFS client')
  await expectKernel('nfsd', 'an NFS server')
  // Slurm wants control groups to be its own as far as the first process, which a host's are not.
  await writeFile(join(slurm.base, 'etc/cgroup.conf'), 'CgroupPlugin=disabled\n')
  const server = (...command: string[]): Promise<string> => slurm.on(controllerName, command, { directory: '/' })
  await server('sh', '-c', 'mkdir -p /var/lib/nfs/v4recovery && touch /var/lib/nfs/etab /var/lib/nfs/rmtab')
  await server('mount', '-t', 'nfsd', 'nfsd', '/proc/fs/nfsd')
  await server('exportfs', '-i', '-o', 'rw,no_root_squash,insecure,no_subtree_check,fsid=0', `*:${slurm.shared}`)
  await server('rpc.mountd', '--no-nfs-version', '3')
  await server('rpc.nfsd', '--no-nfs-version', '3', '--no-udp', '--grace-time', '5', '--lease-time', '5', '8')
  const { address } = slurm.host(controllerName)
  for (const host of slurm.nodes)
    await slurm.on(host, ['mount', '-t', 'nfs4', `${address}:/`, slurm.shared], { directory: '/' })
}
