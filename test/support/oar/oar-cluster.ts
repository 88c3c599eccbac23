import { appendFile, chmod, chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { removeCgroups } from '../slurm/cgroups.ts'
import { type CommandResult, commandOutput, outputOf } from '../slurm/command.ts'
import { type Addresses, Hosts, linesOf } from '../slurm/hosts.ts'
import { addressOf } from '../slurm/network.ts'
import { type HostProcess, formatProcesses } from '../slurm/processes.ts'
import { patient, until } from '../until.ts'
import { oarConf } from './oar-conf.ts'
import hostScript from './oar-host.sh'

/** The host of OAR's server and its database, from which jobs are submitted. */
const serverName = 'login'

/** Who submits jobs: OAR takes none of root. */
const person = { name: 'jdoe', uid: 60_601 } as const

/** The CPUs of each host, whose only resource it is as a whole. */
export const cpus: readonly number[] = availableParallelism() > 1 ? [0, 1] : [0]

/** What OAR says of a job. */
export interface OarJob {
  readonly state: string
  /** The status of its script, as `wait` has it. */
  readonly exit_code: string | null
}

/** A real OAR of several hosts on this machine, which share nothing but a directory and a network. */
export class OarCluster implements AsyncDisposable {
  readonly #hosts: Hosts
  /** Hosts that may have control groups. */
  readonly #withCgroups = new Set<string>()

  private constructor(hosts: Hosts) {
    this.#hosts = hosts
  }

  /** @throws Error with OAR's own messages where it does not come up; nothing is left then. */
  static async start({ hosts = 3 }: { readonly hosts?: number } = {}): Promise<OarCluster> {
    // All clusters of the machine share its control groups, which have the names of the hosts.
    const prefix = `o${Math.random().toString(36).slice(2, 8)}n`
    const names = [serverName, ...Array.from({ length: hosts }, (_, n) => `${prefix}${n}`)]
    const addresses = names.map((name, index) => [name, addressOf(index, 'IPv4')] as const)
    const cluster = new OarCluster(await Hosts.make(addresses))
    try {
      await cluster.#writeConfiguration(addresses)
      for (const [name, address] of addresses) await cluster.#startHost([name, address])
      await Promise.all([
        cluster.#startDatabase(),
        ...cluster.nodes.map(async (name) => await cluster.#startSshd(name)),
      ])
      await cluster.#startServer()
      return cluster
    } catch (error) {
      const logs = await cluster.logs()
      await cluster[Symbol.asyncDispose]()
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`Cannot start OAR in ${cluster.base}: ${why}\n${logs}`, { cause: error })
    }
  }

  get base(): string {
    return this.#hosts.base
  }

  /** The directory that all hosts share. */
  get shared(): string {
    return join(this.base, 'shared')
  }

  /** Where this machine, which is none of the hosts, finds it. */
  get source(): string {
    return join(this.base, 'source')
  }

  /** Names of the hosts that run jobs. */
  get nodes(): string[] {
    return this.#hosts.names.filter((name) => name !== serverName)
  }

  get env(): Readonly<Record<string, string>> {
    return { ...this.#hosts.env, USER: person.name }
  }

  /** Runs a command on the host of the server, as the person who submits jobs, and gives its standard output. */
  async on(command: readonly string[], directory = this.shared): Promise<string> {
    return outputOf(command, await this.#as(person.name, command, { directory }))
  }

  /** Submits a job; gives its id. */
  async submit(args: readonly string[], directory = this.shared): Promise<string> {
    const said = await this.on(['oarsub', ...args], directory)
    const id = /^OAR_JOB_ID=(\d+)$/m.exec(said)?.[1]
    if (id === undefined) throw new Error(`Cannot find the id of the job:\n${said}`)
    return id
  }

  /** What OAR says of a job. */
  async job(id: string): Promise<OarJob> {
    const all = JSON.parse(await this.on(['oarstat', '--full', '--json', '--job', id])) as Record<string, OarJob>
    const job = all[id]
    if (job === undefined) throw new Error(`Cannot find job ${id}`)
    return job
  }

  /** Waits until a job is over; gives what OAR says of it. */
  async wait(id: string, patience = patient): Promise<OarJob> {
    // Each question to OAR costs half a second of the machine.
    await until(
      async () => await readFile(join(this.base, 'log/oar.log'), 'utf8'),
      (log) => log.includes(`[bipbip ${id}] Ask to change the job state`),
      { what: `job ${id} is over`, say: async () => await this.logs(), patience, interval: 200 },
    )
    return await until(
      async () => await this.job(id),
      ({ state }) => state === 'Terminated' || state === 'Error',
      { what: `job ${id} is over`, say: ({ state }) => state, interval: 500 },
    )
  }

  /** A host dies: all of its processes at once, and without a word to those they were connected to. */
  async killHost(name: string): Promise<void> {
    await this.#hosts.kill(name)
  }

  /** The processes of the person on a host. */
  async processesOn(host: string): Promise<HostProcess[]> {
    const all = await this.#hosts.get(host).processes()
    return all.filter(({ env }) => env.includes(`USER=${person.name}`))
  }

  /** Waits until no host runs anything of a job. */
  async expectNothingLeft(): Promise<void> {
    for (const name of this.nodes)
      await until(
        async () => await this.processesOn(name),
        (left) => left.length === 0,
        { what: `no process is left on ${name}`, say: formatProcesses },
      )
  }

  /** Ends all hosts with everything on them, and removes the cluster's directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]()
    for (const name of this.#withCgroups) await removeCgroups(name, 'oar')
  }

  /** /etc, /etc/oar and /var/lib/oar of all hosts, as they are before the first job. */
  async #writeConfiguration(addresses: Addresses): Promise<void> {
    const { base } = this
    const [etc, home] = [join(base, 'oar/etc'), join(base, 'oar/home')]
    await chmod(base, 0o755)
    await mkdir(join(base, 'oar'))
    await commandOutput(['cp', '-a', '/etc', etc])
    await commandOutput(['cp', '-a', '/var/lib/oar', home])
    await writeFile(join(etc, 'hosts'), `127.0.0.1 localhost\n${linesOf(addresses)}`)
    await this.#writeAccounts(etc)
    await this.#writeKeys(etc, join(home, '.ssh'))
    await appendFile(join(etc, 'oar/oar.conf'), oarConf({ base, server: serverName }))
    const manager = join(etc, 'oar/job_resource_manager_cgroups.pl')
    const text = await readFile(manager, 'utf8')
    // It would remove all that is the person's in /dev/shm, where the shared directory is.
    await writeFile(manager, text.replace(/^my @Tmp_dir_to_clear = .*$/m, 'my @Tmp_dir_to_clear = ();'))
    await writeFile(join(base, 'log/oar.log'), '')
    await commandOutput(['chown', '-R', 'oar:oar', home, join(etc, 'oar'), join(base, 'log/oar.log')])
  }

  async #writeAccounts(etc: string): Promise<void> {
    const { name, uid } = person
    await appendFile(join(etc, 'passwd'), `${name}:x:${uid}:${uid}::${this.base}/home:/bin/bash\n`)
    await appendFile(join(etc, 'group'), `${name}:x:${uid}:\n`)
    // Both the job's script and what oarsh starts read it.
    const own = [`export PATH=${this.base}/bin:$PATH`, 'export DASK_HPC_RUNNER_LOST_AFTER=4s']
    await writeFile(join(this.base, 'home/.bashrc'), `${own.join('\n')}\n`)
    for (const folder of ['home', 'source']) await chown(join(this.base, folder), uid, uid)
  }

  /** The keys by which the user oar of one host becomes that of another. */
  async #writeKeys(etc: string, ssh: string): Promise<void> {
    await rm(ssh, { recursive: true, force: true })
    await mkdir(ssh, { mode: 0o700 })
    for (const key of [join(ssh, 'id_rsa'), join(etc, 'oar/oar_ssh_host_rsa_key')]) {
      await rm(key, { force: true })
      await commandOutput(['ssh-keygen', '-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', key])
    }
    const own = await readFile(join(ssh, 'id_rsa.pub'), 'utf8')
    await writeFile(join(ssh, 'authorized_keys'), `environment="OAR_KEY=1" ${own}`)
    await writeFile(join(ssh, 'config'), 'Host *\nStrictHostKeyChecking no\nConnectTimeout 3\nLogLevel ERROR\n')
  }

  async #startHost([name, address]: Addresses[number]): Promise<void> {
    const host = await this.#hosts.add([name, address])
    if (name !== serverName) this.#withCgroups.add(name)
    const prepare = ['bash', '-c', hostScript, 'oar-host', name, this.base]
    outputOf(['prepare', name], await host.run(prepare, { env: this.env, directory: '/' }))
  }

  async #startDatabase(): Promise<void> {
    const [data, sockets] = [join(this.base, 'database'), join(this.base, 'sockets')]
    for (const folder of [data, sockets]) {
      await mkdir(folder, { mode: 0o700 })
      await commandOutput(['chown', 'postgres:', folder])
    }
    const programs = await postgresPrograms()
    await this.#postgres([`${programs}/initdb`, '--no-sync', '--auth=trust', '--locale=C.UTF-8', '-D', data])
    await appendFile(join(data, 'pg_hba.conf'), 'host all all 10.97.0.0/24 trust\n')
    // It is killed with its host, and would leave its memory in the /dev/shm of all.
    const memory = 'dynamic_shared_memory_type=mmap'
    const options = ['-D', data, '-k', sockets, '-h', '*', '-c', 'fsync=off', '-c', memory]
    this.#daemon(serverName, [
      'setpriv',
      '--reuid=postgres',
      '--regid=postgres',
      '--clear-groups',
      `${programs}/postgres`,
      ...options,
    ])
    const psql = ['psql', '-q', '-v', 'ON_ERROR_STOP=1', '-h', sockets]
    await until(
      async () => await this.#as('postgres', [...psql, '-c', 'select 1']),
      ({ status }) => status === 0,
      { what: 'the database answers', say: ({ stderr }) => stderr },
    )
    await this.#postgres([
      ...psql,
      '-c',
      'create user oar',
      '-c',
      'create user oar_ro',
      '-c',
      'create database oar owner oar',
    ])
    const files = ['pg_structure', 'pg_default_admission_rules', 'default_data'].map(
      (name) => `/usr/lib/oar/database/${name}.sql`,
    )
    const resources = this.nodes.map(
      (name) => `insert into resources (network_address, state, cpuset) values ('${name}', 'Alive', '${cpus.join()}');`,
    )
    await this.#postgres([
      ...psql,
      '-U',
      'oar',
      'oar',
      ...files.flatMap((file) => ['-f', file]),
      '-c',
      resources.join(' '),
    ])
    await this.#postgres([...psql, '-U', 'oar', 'oar', '-c', 'grant select on all tables in schema public to oar_ro'])
  }

  async #startSshd(name: string): Promise<void> {
    this.#daemon(name, [
      '/usr/sbin/sshd',
      '-D',
      '-f',
      '/etc/oar/sshd_config',
      '-E',
      `${this.base}/log/sshd-${name}.log`,
    ])
    await Promise.resolve()
  }

  async #startServer(): Promise<void> {
    this.#daemon(serverName, ['/usr/sbin/Almighty'])
    await until(
      async () => {
        this.#hosts.expectDaemons()
        return await readFile(join(this.base, 'log/oar.log'), 'utf8')
      },
      (log) => log.includes('Init done'),
      { what: 'the server is ready', say: (log) => log.slice(-2000) },
    )
  }

  /** Runs a command on the host of the server as somebody. */
  async #as(who: string, command: readonly string[], { directory = '/' } = {}): Promise<CommandResult> {
    const as = ['setpriv', `--reuid=${who}`, `--regid=${who}`, '--clear-groups', '--']
    return await this.#hosts.get(serverName).run([...as, ...command], { env: { ...this.env, USER: who }, directory })
  }

  async #postgres(command: readonly string[]): Promise<void> {
    outputOf(command, await this.#as('postgres', command))
  }

  #daemon(host: string, command: readonly string[]): void {
    this.#hosts.daemon(host, command, { ...this.env, USER: 'root' })
  }

  async logs(): Promise<string> {
    return await this.#hosts.logs()
  }
}

/** Debian has a directory for each version. */
async function postgresPrograms(): Promise<string> {
  const root = '/usr/lib/postgresql'
  const [newest = ''] = (await readdir(root)).sort((a, b) => Number(b) - Number(a))
  return join(root, newest, 'bin')
}
