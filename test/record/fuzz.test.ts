import { expect, test } from 'vitest'
import { parseFacts, parseStart } from '../../src/commands/doctor/exchange.ts'
import { parseFound } from '../../src/rendezvous/found.ts'
import { formatSchedulerFile, parseSchedulerFile } from '../../src/record/parse.ts'
import { parseAs, publishedFileSchema } from '../../src/record/schemas.ts'
import { parseEarlyExit } from '../../src/rendezvous/file/early-exits.ts'
import { readCoordinator, readOutcome } from '../../src/rendezvous/file/run-directory.ts'
import { isReport } from '../../src/report/write-report.ts'
import { Random } from '../dask/support/random.ts'
import { failureOf, fileOf, ownerOf } from '../rendezvous/file/support/run.ts'
import { mutateText } from './support/mutate-text.ts'

// DASK_HPC_RUNNER_FUZZ=100000 mutates each so often; DASK_HPC_RUNNER_FUZZ_SEED repeats a run.
const count = Number(process.env.DASK_HPC_RUNNER_FUZZ ?? 3_000)
const seed = Number(process.env.DASK_HPC_RUNNER_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32))

const file = fileOf(ownerOf('k'))
const { dask_hpc_runner: record } = file
const outcome = { ...failureOf('k'), cluster: record }

const python = { executable: '/usr/bin/python3', version: '3.11.2', packages: { dask: '2022.12.1' }, place: null }
const facts = {
  ...{ rank: 1, host: 'node1', program: '0.1.0', python, client: null },
  ...{ reach: { dask: 'answers', control: 'refuses' }, gets: 'a worker gets 1 thread' },
  findings: [{ level: 'note', subject: 'gpus', finding: '4 workers share 2 GPUs', ranks: [1] }],
}

const isPort = (port: unknown): boolean => Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535
const isRecord = ({ control, nonce, run_key, secret }: typeof record): boolean =>
  isPort(control.port) &&
  control.addresses.every((each) => typeof each === 'string') &&
  [nonce, run_key, secret].every((each) => typeof each === 'string')
const isStatus = (status: unknown): boolean => Number.isInteger(status) && Number(status) >= 1 && Number(status) <= 255

interface Reader {
  readonly of: string
  readonly text: string
  /** Whether what is read can be used; undefined where nothing can be read. */
  readonly read: (text: string) => boolean | undefined
}

const readers: readonly Reader[] = [
  {
    of: 'a scheduler file',
    text: formatSchedulerFile(file),
    read: (text) => {
      const parsed = parseSchedulerFile(text)
      return parsed.kind === 'valid' ? /^[a-z][a-z0-9+.-]*:\/\/.+/.test(parsed.file.address) : undefined
    },
  },
  {
    of: 'the record of a cluster',
    text: formatSchedulerFile(file),
    read: (text) => {
      const read = parseAs(publishedFileSchema, text)
      return read && isRecord(read.dask_hpc_runner)
    },
  },
  {
    of: 'where rank 0 is',
    text: JSON.stringify(record),
    read: (text) => {
      const read = readCoordinator(text)
      return read && isRecord(read)
    },
  },
  {
    of: 'an outcome',
    text: JSON.stringify(outcome),
    read: (text) => {
      const read = readOutcome(text)
      return (
        read &&
        (read.failure === undefined || isStatus(read.failure.status)) &&
        (read.cluster === undefined || isRecord(read.cluster))
      )
    },
  },
  {
    of: 'what a process leaves that ends early',
    text: JSON.stringify({ version: 1, rank: 1, failure: outcome.failure }),
    read: (text) => {
      const read = parseEarlyExit(text)
      return read && (read.failure === undefined || isStatus(read.failure.status))
    },
  },
  {
    of: 'what another process has found',
    text: JSON.stringify({ kind: 'outcome', outcome }),
    read: (text) => {
      const read = parseFound(text)
      return (
        read && (read.kind !== 'outcome' || read.outcome.failure === undefined || isStatus(read.outcome.failure.status))
      )
    },
  },
  {
    of: 'what stands at the path of a report',
    text: JSON.stringify({ version: 1, run_key: 'k', status: 0, began: '2026-11-29T00:00:00Z', silent: [] }),
    read: (text) => (isReport(text) ? true : undefined),
  },
  {
    of: "the start of doctor's rank 0",
    text: JSON.stringify({ listens: [{ what: 'dask', host: '127.0.0.1', port: 8786 }] }),
    read: (text) => {
      const read = parseStart(text)
      return read?.listens.every(({ port }) => isPort(port))
    },
  },
  {
    of: "the facts of doctor's other processes",
    text: JSON.stringify(facts),
    read: (text) => {
      const read = parseFacts(text)
      return read?.findings.every(({ level, finding }) => typeof level === 'string' && typeof finding === 'string')
    },
  },
]

test.for(readers)(
  `${count} mutations of $of are refused or can be used (seed ${seed})`,
  { timeout: 60_000 + count },
  ({ text, read }) => {
    const random = new Random(seed)
    let [used, refused, longest] = [0, 0, 0]
    for (let i = 0; i < count; i++) {
      const mutated = mutateText(text, random)
      const timed = (): readonly [can: ReturnType<typeof read>, took: number] => {
        const began = performance.now()
        return [read(mutated), performance.now() - began]
      }
      const [can, ...took] = timed()
      // The machine may have been busy: look again before it counts.
      for (let again = 0; again < 3 && Math.min(...took) > longest; again++) took.push(timed()[1])
      longest = Math.max(longest, Math.min(...took))
      expect(can, `seed ${seed}: ${JSON.stringify(mutated)}`).not.toBe(false)
      if (can === undefined) refused++
      else used++
    }
    const report = JSON.stringify({ seed, used, refused, longest })
    if (process.env.DASK_HPC_RUNNER_FUZZ !== undefined) process.stdout.write(`${report}\n`)
    // A mutation that could do nothing else would show nothing.
    expect(used, report).toBeGreaterThan(count / 100)
    expect(refused, report).toBeGreaterThan(count / 100)
    expect(longest, report).toBeLessThan(1_000)
  },
)
