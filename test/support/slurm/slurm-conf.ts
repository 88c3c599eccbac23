/** What a slurm.conf is made of. */
export interface SlurmConfOptions {
  /** Slurm's name of the cluster. */
  readonly clusterName: string
  /** Directory of everything that the cluster owns; also where its munge socket is. */
  readonly base: string
  /** Name and address of the host of slurmctld. */
  readonly controller: readonly [name: string, address: string]
  /** Names and addresses of the hosts that run jobs. */
  readonly nodes: readonly (readonly [name: string, address: string])[]
  /** CPUs that each node claims to have. */
  readonly cpus: number
  /** Megabytes that each node claims to have. */
  readonly memory: number
  /** GPUs that each node claims to have; there are no devices behind them. */
  readonly gpus: number
  /** Settings that replace these or join them. */
  readonly settings: Readonly<Record<string, string>>
}

/** The text of a slurm.conf for a cluster in which everything runs as root. */
export function slurmConf({
  clusterName,
  base,
  controller,
  nodes,
  cpus,
  memory,
  gpus,
  settings,
}: SlurmConfOptions): string {
  const all = {
    ClusterName: clusterName,
    SlurmctldHost: `${controller[0]}(${controller[1]})`,
    SlurmUser: 'root',
    SlurmdUser: 'root',
    AuthType: 'auth/munge',
    AuthInfo: `socket=${base}/munge/socket`,
    CredType: 'cred/munge',
    TaskPlugin: 'task/none',
    MpiDefault: 'none',
    SelectType: 'select/cons_tres',
    SelectTypeParameters: 'CR_Core',
    // Nodes claim more than this machine has.
    SlurmdParameters: 'config_overrides',
    ReturnToService: '2',
    StateSaveLocation: `${base}/state`,
    SlurmdSpoolDir: `${base}/spool/%n`,
    SlurmctldPidFile: `${base}/slurmctld.pid`,
    SlurmdPidFile: `${base}/slurmd.%n.pid`,
    SlurmctldLogFile: `${base}/log/slurmctld.log`,
    SlurmdLogFile: `${base}/log/slurmd.%n.log`,
    SchedulerParameters: 'batch_sched_delay=0,sched_interval=2,bf_interval=2',
    ...(gpus === 0 ? {} : { GresTypes: 'gpu' }),
    ...settings,
  }
  const names = nodes.map(([name]) => name).join(',')
  const gres = gpus === 0 ? '' : ` Gres=gpu:${gpus}`
  const lines = [
    ...Object.entries(all).map(([name, value]) => `${name}=${value}`),
    ...nodes.map(([name, address]) => `NodeName=${name} NodeAddr=${address} CPUs=${cpus} RealMemory=${memory}${gres}`),
    `PartitionName=main Nodes=${names} Default=YES MaxTime=INFINITE State=UP`,
  ]
  return `${lines.join('\n')}\n`
}
