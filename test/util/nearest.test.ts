import { expect, test } from 'vitest'
import { completeOptions, type RunnerOptions } from '../../src/options.ts'
import { Client, type ConnectOptions, LocalRunner, SLURMRunner } from '../../src/index.ts'
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
  for (const [options, message] of [
    [null, 'Cannot use null as options'],
    [{ signal: {} }, 'Cannot use signal {}: it has to be an AbortSignal'],
    [{ timeout: 'soon' }, "Cannot use timeout 'soon': it has to be a length of time"],
    [{ python: 3 }, 'Cannot use python 3: it has to be the path of a Python'],
    [{ env: null }, 'Cannot use env null: it has to be an object of variables'],
  ] as const)
    await expect(Client.connect('tcp://127.0.0.1:1', options as never)).rejects.toThrow(message)
  for (const [target, message] of [
    [null, 'Cannot connect to null: name a runner, an address such as tcp://10.0.0.1:8786, or'],
    [5, 'Cannot connect to 5: name a runner'],
    [{}, 'Cannot connect to {}: name a runner'],
    [{ schedulerFile: 5 }, 'Cannot connect to { schedulerFile: 5 }: name a runner'],
  ] as const)
    await expect(Client.connect(target as never)).rejects.toThrow(message)
  expect(() => completeOptions({ nothingLikeIt: 1 } as RunnerOptions)).toThrow('the options are schedulerFile, ')
  await expect(Client.connect('tcp://127.0.0.1:1', { tiemout: '1s' } as ConnectOptions)).rejects.toThrow(
    'Cannot use the option "tiemout": there is none of that name; did you mean "timeout"?',
  )
  for (const start of [(): unknown => completeOptions(null as never), () => new SLURMRunner(null as never)])
    expect(start).toThrow("Cannot use null as options: write an object, such as { timeout: '30s' }")
  await expect(LocalRunner.start(null as never)).rejects.toThrow('Cannot use null as options')
  for (const [options, message] of [
    [{ signal: {} }, 'Cannot use signal {}: it has to be an AbortSignal'],
    [
      { command: 'python client.py' },
      "Cannot use command 'python client.py': it has to be an array of a program and its",
    ],
    [{ exit: 5 }, 'Cannot use exit 5: it has to be a function'],
    [{ env: null }, 'Cannot use env null: it has to be an object of variables'],
    [{ preloadClient: 'no' }, "Cannot use preloadClient 'no': it has to be true or false"],
  ] as const)
    expect(() => completeOptions(options as never)).toThrow(message)
  expect(completeOptions({ python: undefined, signal: undefined, env: undefined })).toEqual(completeOptions({}))
})
