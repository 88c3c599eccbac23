import { mkdir } from 'node:fs/promises'
import { controllerName, type SlurmCluster } from '../slurm/slurm-cluster.ts'
import { until } from '../until.ts'

/** Serves a volume of GlusterFS from the host that submits jobs, and mounts it on every host in place of the shared directory. */
export async function mountGluster(slurm: SlurmCluster): Promise<void> {
  // What its daemons keep is the host's own, and ends with it. The shared directory is not mounted yet.
  const server = (...command: string[]): Promise<string> => slurm.on(controllerName, command, { directory: '/' })
  for (const folder of ['/var/lib/glusterd', '/var/log/glusterfs', '/run/gluster']) {
    await mkdir(folder, { recursive: true })
    for (const host of slurm.hostNames)
      await slurm.on(host, ['mount', '-t', 'tmpfs', 'tmpfs', folder], { directory: '/' })
  }
  await server('mkdir', '/tmp/brick')
  slurm.host(controllerName).spawn(['glusterd', '--no-daemon'], { env: slurm.env, directory: '/' }, 'ignore')
  await until(
    async () => await slurm.run(controllerName, ['gluster', '--mode=script', 'volume', 'list'], { directory: '/' }),
    ({ status }) => status === 0,
    { what: 'glusterd answers', say: ({ stderr, stdout }) => stdout + stderr, patience: 60_000, interval: 500 },
  )
  await server('gluster', '--mode=script', 'volume', 'create', 'shared', `${controllerName}:/tmp/brick`, 'force')
  await server('gluster', '--mode=script', 'volume', 'start', 'shared')
  for (const host of slurm.hostNames)
    await slurm.on(host, ['mount', '-t', 'glusterfs', `${controllerName}:/shared`, slurm.shared], { directory: '/' })
}
