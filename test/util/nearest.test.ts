import { expect, test } from 'vitest'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'
import { Client, type ConnectOptions, LocalRunner } from '../../src/index.ts'
import { nearest } from '../../src/util/nearest.ts'

test.for([
  ['pyhton', 'python'],
  ['schedulerfile', 'schedulerFile'],
  ['waitWorker', 'waitWorkers'],
  ['grce', 'grace'],
  ['colour', undefined],
  ['x', undefined],
] as const)('%s is taken for %s', ([given, meant]) => {
  expect(nearest(given, ['python', 'schedulerFile', 'waitWorkers', 'grace', 'port'])).toBe(meant)
})

test('an option that a runner does not have is refused, and the nearest is named', async () => {
  const given: object = { layout: 'shared', pyhton: 'x' }
  const message = 'Cannot use the option "pyhton": there is none of that name; did you mean "python"?'
  expect(() => completeOptions(given)).toThrow(new TypeError(message))
  await expect(LocalRunner.start({ ntasks: 4, ...given })).rejects.toThrow(message)
  const tasks = { ntaks: 4 } as RunnerOptions
  await expect(LocalRunner.start(tasks)).rejects.toThrow('did you mean "ntasks"?')
  expect(() => completeOptions({ nothingLikeIt: 1 } as RunnerOptions)).toThrow('the options are schedulerFile, ')
  await expect(Client.connect('tcp://127.0.0.1:1', { tiemout: '1s' } as ConnectOptions)).rejects.toThrow(
    'Cannot use the option "tiemout": there is none of that name; did you mean "timeout"?',
  )
  expect(completeOptions({ python: undefined, signal: undefined, env: undefined })).toEqual(completeOptions({}))
})
