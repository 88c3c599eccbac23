import { expect, test } from 'vitest'
import { checkOptions, checkSubmitOptions, waitNames } from '../../src/client/check-options.ts'
import type { SubmitOptions } from '../../src/client/submit-options.ts'

const check = (options: unknown): void => {
  checkSubmitOptions(options as SubmitOptions)
}

test('what Dask can use passes', () => {
  check({})
  check({ workers: undefined, resources: undefined, retries: undefined, priority: undefined, key: undefined })
  check({ workers: [0, 2, 'tcp://10.0.0.1:4000', 'gpu-1'], allowOtherWorkers: true })
  check({ resources: { GPU: 0.5, TPU: 0 }, retries: 0, priority: -1.5, key: 'k', pure: false, kwargs: { a: 1 } })
  check({ resources: {}, retries: 3, allowOtherWorkers: false })
})

test('what is of another kind is refused, with its name, what it is and what it has to be', () => {
  const workers = 'it has to be an array of names or addresses of workers, one at least'
  const resources = 'it has to be an object of finite numbers from 0, such as { GPU: 1 }'
  for (const [options, message] of [
    [{ workers: 2 }, `Cannot use workers 2: ${workers}`],
    [{ workers: [2.5] }, `Cannot use workers [ 2.5 ]: ${workers}`],
    [{ workers: [''] }, `Cannot use workers [ '' ]: ${workers}`],
    [{ workers: [{ name: 2 }] }, `Cannot use workers [ { name: 2 } ]: ${workers}`],
    [{ resources: { GPU: 'x' } }, `Cannot use resources { GPU: 'x' }: ${resources}`],
    [{ resources: ['GPU'] }, `Cannot use resources [ 'GPU' ]: ${resources}`],
    [{ resources: 'GPU=1' }, `Cannot use resources 'GPU=1': ${resources}`],
    [{ retries: '1' }, "Cannot use retries '1': it has to be a whole number from 0"],
    [{ priority: 'high' }, "Cannot use priority 'high': it has to be a finite number"],
    [{ key: 5 }, 'Cannot use key 5: it has to be a string that is not empty, and well-formed'],
    [{ pure: 'yes' }, "Cannot use pure 'yes': it has to be true or false"],
    [{ workers: [1], allowOtherWorkers: 1 }, 'Cannot use allowOtherWorkers 1: it has to be true or false'],
    [{ kwargs: [1] }, 'Cannot use kwargs [ 1 ]: it has to be an object of arguments by their names'],
    [{ retry: 2 }, 'Cannot use the option retry: the options of a task are workers, allowOtherWorkers, resources,'],
  ] as const) {
    expect(() => {
      check(options)
    }, message).toThrow(message)
    expect(() => {
      check(options)
    }, message).toThrow(TypeError)
  }
})

test('options of a wait are checked, and what no options are is named', () => {
  for (const [options, message] of [
    [null, "Cannot use null as options: write an object, such as { timeout: '30s' }"],
    [[1], 'Cannot use [ 1 ] as options: write an object'],
    ['5s', "Cannot use '5s' as options: write an object"],
    [{ signal: {} }, 'Cannot use signal {}: it has to be an AbortSignal'],
    [{ signal: new AbortController() }, 'it has to be an AbortSignal'],
    [{ timeout: { s: 1 } }, 'Cannot use timeout { s: 1 }: it has to be a length of time, such as 500ms, 30s, 5m or 1h'],
    [{ tiemout: 1 }, 'Cannot wait: there is no option tiemout; its options are signal, timeout'],
  ] as const) {
    const check = (): void => {
      checkOptions(options as never, waitNames, 'wait')
    }
    expect(check, message).toThrow(message)
    expect(check, message).toThrow(TypeError)
  }
  checkOptions({ signal: AbortSignal.abort(), timeout: '30s' }, waitNames, 'wait')
  expect(() => {
    checkOptions({ timeout: '30 years' }, waitNames)
  }).toThrow(RangeError)
})

test('what is too much or too little is refused', () => {
  for (const [options, message] of [
    [{ workers: [] }, 'Cannot use workers []'],
    [{ resources: { GPU: -1 } }, 'Cannot use resources { GPU: -1 }'],
    [{ resources: { GPU: Infinity } }, 'Cannot use resources { GPU: Infinity }'],
    [{ retries: -1 }, 'Cannot use retries -1'],
    [{ retries: 0.5 }, 'Cannot use retries 0.5'],
    [{ priority: NaN }, 'Cannot use priority NaN'],
    [{ key: '' }, "Cannot use key ''"],
    [{ key: '\ud800' }, 'Cannot use key '],
    [{ resources: { '\ud800': 1 } }, 'Cannot use resources '],
    [{ allowOtherWorkers: true }, 'Cannot use allowOtherWorkers without workers'],
  ] as const) {
    expect(() => {
      check(options)
    }, message).toThrow(message)
    expect(() => {
      check(options)
    }, message).toThrow(RangeError)
  }
})
