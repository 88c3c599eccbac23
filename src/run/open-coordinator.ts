import { randomUUID } from 'node:crypto'
import { controlAddresses, staysOnHost } from '../components/listen-address.ts'
import { workersOfProcess } from '../components/worker-names.ts'
import { type HeartbeatChannel, HeartbeatMonitor, withHeartbeat } from '../control/heartbeat.ts'
import type { FromCoordinator, ToCoordinator } from '../control/messages.ts'
import type { RunContext } from '../identity/run-context.ts'
import { formatRunKey } from '../identity/run-key.ts'
import { nameOf } from '../options.ts'
import { networkName } from '../util/network.ts'
import { readPorts } from '../util/ports.ts'
import { Arrivals } from './arrivals.ts'
import { Coordinator, type CoordinatorParts } from './coordinator.ts'
import type { RunSeams } from './seams.ts'
import { WorkerWatch } from './worker-watch.ts'

/**
 * Listens for the other ranks of the run.
 *
 * @throws RunnerError ERR_UNAVAILABLE if no port can be listened on.
 */
export async function openCoordinator(
  run: RunContext,
  seams: Pick<RunSeams, 'listen' | 'connectScheduler'>,
  tell: Pick<CoordinatorParts, 'tellUser' | 'observe'>,
): Promise<Coordinator> {
  const { roles, identity, options, logger } = run
  const oneHost = await staysOnHost(run)
  const [runKey, nonce, secret] = [formatRunKey(identity.runKey), randomUUID(), randomUUID()]
  const monitor = new HeartbeatMonitor(options)
  const channels = new Map<number, HeartbeatChannel<ToCoordinator, FromCoordinator>>()
  const server = await seams.listen({
    ...{ runKey, nonce, secret, size: identity.size, portsName: nameOf(options, 'controlPort') },
    ...(oneHost ? { host: '127.0.0.1' } : {}),
    ...(options.controlPort === undefined ? {} : { ports: readPorts('controlPort', options.controlPort) }),
    onMember: (opened, hello) => {
      const channel = withHeartbeat(opened, monitor)
      if (coordinator.add(hello, channel)) channels.set(hello.rank, channel)
    },
    onHeartbeatChannel: (opened, rank) => {
      coordinator.addObserver(withHeartbeat(opened, monitor, () => channels.get(rank)?.heard()))
    },
    onObserver: (channel) => {
      coordinator.addObserver(channel)
    },
  })
  const addresses = oneHost ? ['127.0.0.1'] : await controlAddresses(run)
  const workersEach = workersOfProcess(options)
  const workers = roles.filter((each) => each.includes('worker')).length * workersEach
  const coordinator: Coordinator = new Coordinator({
    shape: { ...options, roles, workersEach },
    ...{ logger, hasScheduler: options.scheduler, workersTimeout: options.workersTimeout },
    watch: new WorkerWatch(run, seams),
    server: {
      port: server.port,
      unref: () => {
        server.unref()
      },
      close: async () => {
        monitor[Symbol.dispose]()
        await server.close()
      },
    },
    record: {
      ...{ version: 1, run_key: runKey, nonce, host: identity.host, pid: process.pid, secret },
      control: { addresses, port: server.port, network: await networkName() },
      ...(options.secure ? { secure: true } : {}),
      ...(options.scheduler ? {} : { adds_workers: true }),
      ...(options.dashboardPrefix === undefined ? {} : { dashboard_prefix: options.dashboardPrefix }),
      n_workers: workers,
    },
    arrivals: new Arrivals(run, workersEach),
    ...tell,
  })
  return coordinator
}
