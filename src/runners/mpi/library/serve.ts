import { Socket } from 'node:net'
import { messageOf, RunnerError } from '../../../errors.ts'
import { forEachMessage } from '../../../process/messages.ts'
import { deferred } from '../../../util/deferred.ts'
import { hiddenOnly } from '../../../util/own-commands.ts'
import { printableLines } from '../../../util/printable.ts'
import { loadMpi } from './load.ts'
import { type MpiOrder, orderSchema, type MpiReport, NoMpiError } from './messages.ts'
import { NativeMpi } from './native.ts'

/**
 * The helper process: takes orders and reports on file descriptor 3. Everything of MPI is in here, so
 * that what blocks in it blocks nobody else, and nothing of it is left when the rendezvous is over.
 *
 * @throws RunnerError ERR_USAGE where that is no pipe.
 */
export async function serveMpi(): Promise<never> {
  const pipe = openPipe()
  const started = deferred<Extract<MpiOrder, { order: 'start' }>>()
  const content = deferred<string>()
  let mpi: NativeMpi | undefined
  readOrders(pipe, (order) => {
    if (order.order === 'start') started.resolve(order)
    else if (order.order === 'broadcast') content.resolve(order.text)
    else mpi?.abort(order.status)
  })
  const tell = async (report: MpiReport): Promise<void> => {
    // What follows may block this thread, so the line has to be on its way.
    await new Promise<void>((done) => pipe.write(`${JSON.stringify(report)}\n`, () => done()))
  }
  const { library, initialise } = await started.promise
  try {
    const loaded = loadMpi(library, process.env)
    await tell({ report: 'loaded', library: loaded.name, version: loaded.version, family: loaded.abi.family })
    if (!initialise) process.exit(0)
    mpi = new NativeMpi(loaded)
    await tell({ report: 'world', rank: mpi.rank, size: mpi.size })
    const text = mpi.rank === 0 ? await content.promise : undefined
    const received = await mpi.broadcast(text === undefined ? undefined : Buffer.from(text))
    await tell({ report: 'received', text: Buffer.from(received).toString() })
    await mpi.barrier()
    await tell({ report: 'finalizing' })
    mpi.finalize()
    await tell({ report: 'finalized' })
    process.exit(0)
  } catch (error) {
    if (error instanceof NoMpiError) await tell({ report: 'unavailable', why: error.message })
    else process.stderr.write(`${printableLines(messageOf(error))}\n`)
    process.exit(1)
  }
}

function openPipe(): Socket {
  try {
    return new Socket({ fd: 3, readable: true, writable: true })
  } catch (cause) {
    throw new RunnerError(`Cannot call MPI: nobody gives orders; ${hiddenOnly}`, { code: 'ERR_USAGE', cause })
  }
}

function readOrders(pipe: Socket, onOrder: (order: MpiOrder) => void): void {
  forEachMessage(pipe, orderSchema, onOrder)
  // Who started us is gone.
  pipe.on('close', () => process.exit(1))
}
