import { describe, expect, it } from 'vitest'
import { compareRanks } from '../../../src/commands/doctor/compare.ts'
import { found } from '../../../src/commands/doctor/finding.ts'
import { mergeFindings } from '../../../src/commands/doctor/merge.ts'
import type { Filesystem } from '../../../src/commands/doctor/filesystem.ts'
import type { RankFacts, Start } from '../../../src/commands/doctor/rank-facts.ts'
import { formatReport } from '../../../src/cli/doctor.ts'
import { formatWho } from '../../../src/commands/doctor/format.ts'

const python = {
  executable: '/usr/bin/python3',
  version: '3.11.2',
  packages: { distributed: '2022.12.1', dask: '2022.12.1', msgpack: '1.0.3' },
  place: '/lib/distributed/__init__.py',
}

function facts(rank: number, changes: Partial<RankFacts> = {}): RankFacts {
  return {
    rank,
    host: `node${rank}`,
    program: '0.1.0',
    python,
    client: null,
    reach: { dask: 'answers', control: 'answers' },
    gets: 'a worker gets 4 threads and 8 GB',
    findings: [],
    ...changes,
  }
}

const nfs: Filesystem = { kind: 'nfs4', local: false, free: 1e9 }

interface Given {
  readonly seen?: readonly RankFacts[]
  readonly came?: ReadonlyMap<number, string>
  readonly filesystem?: Filesystem
}

/** What is found of four processes on four nodes, of which 1 is the client's. */
function compared({ seen = [facts(1), facts(2), facts(3)], came = new Map(), filesystem = nfs }: Given) {
  const start: Start = {
    listens: [
      { what: 'dask', host: '10.0.0.1', port: 9 },
      { what: 'control', host: '10.0.0.1', port: 41234 },
    ],
  }
  return compareRanks(
    { start, came, waited: 30_000, seen },
    {
      own: facts(0, { gets: null }),
      roles: [['scheduler'], ['client'], ['worker'], ['worker']],
      hosts: ['node0', 'node1', 'node2', 'node3'],
      nodes: 4,
      directory: '/shared',
      filesystem,
    },
  )
}
const notOk = (given: Given) => compared(given).filter(({ level }) => level !== 'ok')

describe('compareRanks', () => {
  it('finds nothing that differs where nothing does', () => {
    expect(notOk({})).toEqual([])
    expect(compared({}).map(({ finding }) => finding)).toEqual([
      'all 4 processes see "/shared"',
      'the same Python and versions in ranks 0, 2-3 (node0, node2, node3)',
      'a worker gets 4 threads and 8 GB (ranks 1-3 (node1, node2, node3))',
      'ranks 1-3 (node1, node2, node3) reach rank 0 at 10.0.0.1:9',
    ])
  })

  it('tells processes that never came from those that came and told nothing', () => {
    expect(notOk({ seen: [facts(1)], came: new Map([[2, 'node2']]) })).toMatchObject([
      { level: 'problem', subject: 'processes', ranks: [2], finding: expect.stringContaining('node2') as string },
      {
        level: 'problem',
        subject: 'directory',
        ranks: [3],
        finding: expect.stringMatching(/they see another/) as string,
      },
    ])
  })

  it('says that a local filesystem is the cause only where no other node has come', () => {
    const filesystem = { kind: 'xfs', local: true, free: 1 }
    expect(notOk({ seen: [], filesystem })[0]?.finding).toMatch(/it is on a local filesystem of node0 \(xfs\)/)
    expect(notOk({ seen: [facts(1)], filesystem })[0]?.finding).toMatch(/they see another/)
    // It has come, and has not told yet.
    const came = new Map([[1, 'node1']])
    expect(notOk({ seen: [], came, filesystem })[1]?.finding).toMatch(/they see another/)
  })

  it('groups what differs by what it is', () => {
    const other = { ...python, packages: { ...python.packages, distributed: '2024.12.1', msgpack: '1.1' } }
    const [problem, warning] = notOk({ seen: [facts(1), facts(2, { python: other }), facts(3, { python: other })] })
    expect(problem).toMatchObject({
      level: 'problem',
      ranks: [2, 3],
      finding: 'ranks 2-3 (node2, node3) have distributed 2024.12.1 and not 2022.12.1 (/usr/bin/python3)',
    })
    expect(warning).toMatchObject({ level: 'warning', ranks: [2, 3] })
  })

  it('does not judge the Python of a process that hosts the client program only', () => {
    const other = { ...python, packages: { ...python.packages, distributed: '2024.12.1' } }
    expect(notOk({ seen: [facts(1, { python: other }), facts(2), facts(3)] })).toEqual([])
    const client = { command: ['python', 'a.py'], python: other }
    expect(notOk({ seen: [facts(1, { client }), facts(2), facts(3)] })).toMatchObject([
      { level: 'problem', subject: 'client', ranks: [1] },
    ])
  })

  it('names those that do not reach rank 0', () => {
    expect(
      notOk({ seen: [facts(1), facts(2, { reach: { dask: 'unreachable', control: 'answers' } }), facts(3)] }),
    ).toMatchObject([{ level: 'problem', subject: 'network', ranks: [2] }])
  })

  it('names those that do not reach the port of the control channel, and the option for it', () => {
    expect(notOk({ seen: [facts(1), facts(2, { reach: { control: 'unreachable' } }), facts(3)] })).toMatchObject([
      {
        level: 'problem',
        subject: 'network',
        ranks: [2],
        finding: expect.stringContaining('10.0.0.1:41234') as string,
        advice: expect.stringContaining('--control-port') as string,
      },
    ])
  })

  it('notes unequal workers and another Python of the same versions, and warns of another version of ours', () => {
    const other = { ...python, executable: '/opt/python3' }
    const changed = { gets: 'a worker gets 1 thread and 1 GB', python: other, program: '0.2.0' }
    const found = notOk({ seen: [facts(1), facts(2), facts(3, changed)] })
    expect(found.map(({ level, subject }) => `${level} ${subject}`)).toEqual([
      'warning program',
      'note dask',
      'note resources',
      'note resources',
    ])
  })
})

describe('mergeFindings', () => {
  const of = (rank: number, ...findings: ReturnType<typeof found>[]) => ({ rank, host: `node${rank}`, findings })

  it('says once what holds for all, and for whom where it does not', () => {
    const [all, one] = [found('note', 'a', 'everywhere'), found('problem', 'b', 'here', 'mend it')]
    expect(mergeFindings([of(0, all), of(1, all, one), of(2, all)])).toEqual([
      { ...all, finding: 'everywhere (all processes)', ranks: [0, 1, 2] },
      { ...one, finding: 'rank 1 (node1): here', ranks: [1] },
    ])
  })

  it('takes what is in order from the first process only', () => {
    const findings = mergeFindings([of(0, found('ok', 'a', 'mine')), of(1, found('ok', 'a', 'its'))])
    expect(findings).toEqual([found('ok', 'a', 'mine')])
  })

  it('counts what would be many lines of one kind', () => {
    const many = Array.from({ length: 100 }, (_, rank) => of(rank, found('warning', 'a', `took ${rank} s`)))
    const findings = mergeFindings(many)
    expect(findings).toHaveLength(11)
    expect(findings[10]?.finding).toMatch(/^the like in ranks 10-99 \(node10, .* and 82 more\)$/)
  })
})

describe('formatReport', () => {
  it('aligns what was found, and counts what would go wrong', () => {
    const findings = [found('ok', 'node', '20.19.0'), found('problem', 'directory', 'is full', 'empty it')]
    expect(formatReport(findings)).toBe(
      [
        'ok       node       20.19.0',
        'problem  directory  is full',
        `${' '.repeat(20)}-> empty it`,
        '',
        '1 problem',
      ].join('\n'),
    )
    expect(formatReport([])).toContain('Nothing was found that would go wrong.')
  })
})

describe('formatWho', () => {
  it('is short', () => {
    expect(formatWho([5, 1, 2, 3].map((rank) => ({ rank, host: rank < 3 ? 'a' : 'b' })))).toBe('ranks 1-3, 5 (a, b)')
  })
})
