import { expect, test } from 'vitest'
import { checkConfiguration } from '../../../src/commands/doctor/configuration.ts'

const judge = (settings: Record<string, string | number | boolean | null>, protocol?: string) =>
  checkConfiguration([{ path: '/etc/dask/a.yaml', settings }], { protocol })

test('what a file sets is listed with its path', () => {
  expect(judge({ 'distributed.worker.memory.spill': 0.7, 'temporary-directory': '/scratch' })).toEqual([
    {
      level: 'note',
      subject: 'configuration',
      finding: '"/etc/dask/a.yaml" sets distributed.worker.memory.spill, temporary-directory',
    },
  ])
  const many = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`key-${i}`, i]))
  expect(judge(many)[0]?.finding).toMatch(/ sets key-0, .*, key-11, and 2 more$/)
})

test.for([
  ['distributed.scheduler.idle-timeout', '5m', 'warning', 'for 5m'],
  ['distributed.worker.lifetime.duration', '1 hour', 'warning', 'after 1 hour'],
  ['distributed.scheduler.no-workers-timeout', '60s', 'note', 'for 60s'],
  ['distributed.scheduler.contact-address', 'tcp://login:8786', 'warning', 'sent to tcp://login:8786'],
  ['distributed.worker.preload', "['setup']", 'note', "imports ['setup']"],
  ['distributed.comm.require-encryption', true, 'problem', 'refuses to listen without TLS'],
] as const)('%s is judged', ([key, value, level, words]) => {
  const [, finding] = judge({ [key]: value })
  expect(finding).toMatchObject({ level, subject: 'configuration' })
  expect(finding?.finding).toContain(`"/etc/dask/a.yaml" sets ${key}`)
  expect(finding?.finding).toContain(words)
  for (const unset of [null, false, '', '[]', ...(/timeout|duration/.test(key) ? [0, '0', '0s', '0.0 hours'] : [])])
    expect(judge({ [key]: unset })).toHaveLength(1)
})

test('encryption is no problem with TLS; a malformed file is one', () => {
  expect(judge({ 'distributed.comm.require-encryption': true }, 'tls')).toHaveLength(1)
  expect(checkConfiguration([{ path: '/a.yaml', error: 'line 3', settings: {} }], {})).toMatchObject([
    { level: 'problem', finding: 'Dask cannot be imported: "/a.yaml" is malformed: line 3' },
  ])
})
