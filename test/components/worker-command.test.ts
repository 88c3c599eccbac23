import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fillCommand, type CommandValues } from '../../src/components/worker-command.ts'
import { isOfCommand } from '../../src/components/worker-names.ts'
import { ownGpus, workerGpus } from '../../src/components/worker-gpus.ts'
import { completeOptions } from '../../src/options.ts'

const values: CommandValues = {
  scheduler_address: 'tcp://10.0.0.1:1',
  scheduler_file: '/a dir/s.json',
  name: '2',
  nthreads: '4',
  memory_limit: '100',
  local_directory: '/tmp/x',
  resources: 'GPU=1 MEM=2',
  tls_ca_file: undefined,
  tls_cert: undefined,
  tls_key: undefined,
}

test('placeholders are filled in within their words', () => {
  const text = `w {scheduler_address} --name=r{name} -f "{scheduler_file}" --resources {resources} '{"a": {nthreads}}'`
  expect(fillCommand(text, values)).toEqual([
    'w',
    'tcp://10.0.0.1:1',
    '--name=r2',
    '-f',
    '/a dir/s.json',
    '--resources',
    'GPU=1 MEM=2',
    '{"a": 4}',
  ])
})

test('~ is the home directory, also within the quotes around a command', () => {
  expect(fillCommand('~/bin/w ~/conf {name} --a=~/b ~', values)).toEqual([
    join(homedir(), 'bin/w'),
    join(homedir(), 'conf'),
    '2',
    '--a=~/b',
    homedir(),
  ])
})

test('what the run does not have cannot be named', () => {
  expect(() => fillCommand('w {tls_cert}', values)).toThrow('it names {tls_cert}, and this run has none')
  expect(() => completeOptions({ workerCommand: 'w {adress}' })).toThrow('there is no {adress}; it may name {')
})

test('several workers to a command need a command', () => {
  expect(() => completeOptions({ workersPerCommand: 2 })).toThrow('Cannot use workersPerCommand alone')
  expect(completeOptions({ workerCommand: 'w', workersPerCommand: 2 }).workersPerCommand).toBe(2)
})

test('the workers of a command have its name, or that and a number', () => {
  expect(['2', '2-0', '2-11', '2-x', '22', '2-', '12'].filter((name) => isOfCommand(name, '2'))).toEqual([
    '2',
    '2-0',
    '2-11',
  ])
})

test('a command sees only the GPUs of its own workers', () => {
  const env = { CUDA_VISIBLE_DEVICES: '0,1,2,3' }
  const gpus = workerGpus(env, { processes: 2, localRank: 1 }, { nworkers: 2 })
  expect(gpus && ownGpus(gpus, { first: 0, count: 2 })).toEqual({ CUDA_VISIBLE_DEVICES: '2,3' })
  expect(gpus && ownGpus(gpus, { first: 1, count: 1 })).toEqual({ CUDA_VISIBLE_DEVICES: '3' })
})
