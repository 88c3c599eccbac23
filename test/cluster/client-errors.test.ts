import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { py } from '../../src/client/callable.ts'
import { TaskError } from '../../src/client/task-error.ts'
import { sharedClient } from '../support/client.ts'

const shared = sharedClient(2)

test('a result that cannot be pickled does no harm to the next ones from its worker', async () => {
  await using direct = await shared().connect({ directToWorkers: true })
  for (const client of [shared().client, direct]) {
    const generator = client.submit(py`lambda: (x for x in [1])`, [], { workers: [1] })
    await expect(generator.result()).rejects.toMatchObject({
      kind: 'value',
      message: expect.stringMatching(/pickle|serialize/) as string,
    })
    for (const x of [1, 2]) expect(await client.submit(py<number>`lambda x: x`, [x], { workers: [1] }).result()).toBe(x)
  }
})

test('a result with a key that stands for something else in JavaScript is named by its place', async () => {
  const { client } = shared()
  await expect(client.submit(py`lambda: [{"a": {"__proto__": 1}}]`).result()).rejects.toMatchObject({
    kind: 'value',
    message: expect.stringContaining("value[0]['a'] is a dict with the key '__proto__'") as string,
  })
})

test('a Python function that ends its program ends its task only; one of coroutines is awaited', async () => {
  const { client } = shared()
  const before = Object.keys((await client.schedulerInfo()).workers)
  const exits = [py`lambda: __import__("sys").exit(3)`, py`lambda: exec("raise KeyboardInterrupt()")`]
  const texts = ['the function raised SystemExit(3), which', 'the function raised KeyboardInterrupt(), which']
  for (const [i, exit] of exits.entries())
    await expect(client.submit(exit).result()).rejects.toMatchObject({
      kind: 'python',
      message: expect.stringContaining(texts[i] ?? '') as string,
    })
  expect(Object.keys((await client.schedulerInfo()).workers)).toEqual(before)
  const coroutine = py<number>`
    async def later(x):
        import asyncio
        await asyncio.sleep(0.01)
        return x + 1
  `
  expect(await client.submit(coroutine, [1]).result()).toBe(2)
  const endless = py`
    def endless(n):
        return endless(n + 1)
  `
  await expect(client.submit(endless, [0]).result({ timeout: '4m' })).rejects.toThrow(
    'RecursionError: maximum recursion',
  )
})

test('a text of which UTF-8 has no form is told in escapes, whoever says it', async () => {
  const { client } = shared()
  const wait = { timeout: '4m' } as const
  const name = py`
    def name():
        raise ValueError("no such file: " + b"f\xe4".decode("utf-8", "surrogateescape"))
  `
  const escaped = String.raw`ValueError: no such file: f\udce4`
  await expect(client.submit(name).result(wait)).rejects.toThrow(escaped)
  await expect(client.run(name, [], wait)).rejects.toThrow(escaped)
  const thrown = client.submit(() => {
    throw new RangeError('\ud800')
  })
  await expect(thrown.result(wait)).rejects.toMatchObject({ kind: 'javascript', cause: new RangeError('\ud800') })
  const nameless = py`
    def nameless():
        class Nameless(Exception):
            def __str__(self):
                from distributed import get_worker
                return str(get_worker().name)
        raise Nameless
  `
  await expect(client.submit(nameless).result(wait)).rejects.toThrow('Nameless: its text cannot be had here')
})

test('an error in Python tells its type and text, and its traceback as that of the cause', async () => {
  const { client } = shared()
  const future = client.submit(py`lambda x: 1 / x`, [0])
  const error = await future.exception()
  expect(error).toBeInstanceOf(TaskError)
  expect(error).toMatchObject({ kind: 'python', pythonType: 'ZeroDivisionError', code: 'ERR_TASK_FAILED' })
  expect(error?.message).toBe(`Cannot compute "${future.key}": ZeroDivisionError: division by zero`)
  const traceback = /^Traceback .*\n {2}File "<py>", line 1, in <lambda>\nZeroDivision/
  expect((error as TaskError).traceback).toMatch(traceback)
  const cause = error?.cause as Error
  expect([cause.name, cause.message]).toEqual(['ZeroDivisionError', 'division by zero'])
  expect(cause.stack).toMatch(traceback)
  const printed = inspect(error)
  expect(printed.match(/Traceback/g)).toHaveLength(1)
  expect(printed).not.toContain('undefined')
  expect(printed).not.toContain('lastLines')
})

test('what an error tells of a task has frames of its own code only, in both languages', async () => {
  const { client } = shared()
  const loop = py`
    def loop():
        while True:
            pass
  `
  const circle = py`
    def circle():
        a = []
        a.append([a])
        return [a]
  `
  const coroutine = py`
    async def fail():
        return 1 / 0
  `
  const sleeper = py`
    import asyncio
    async def sleep():
        await asyncio.sleep(600)
  `
  const timeLimit = '200ms'
  const inner = py`lambda: 1 / 0`
  const [frame, late] = ['  File "<py>", line', 'ended at its time limit of 0.2 s']
  const heading = 'Traceback (most recent call last):'
  const division = 'ZeroDivisionError: division by zero'
  // What is told of each, line by line, but for the numbers of the lines.
  const told: [wait: () => Promise<unknown>, message: string, lines: readonly string[]][] = [
    [
      () => client.submit(loop, [], { timeLimit }).result(),
      late,
      [heading, `${frame} in loop`, `TimeLimitExceeded: its call was ${late}`],
    ],
    [() => client.submit(sleeper, [], { timeLimit }).result(), late, []],
    [() => client.submit(() => new Promise(() => undefined), [], { timeLimit }).result(), late, []],
    [
      () => client.submit(inner, [], { timeLimit: '1m' }).result(),
      division,
      [heading, `${frame} in <lambda>`, division],
    ],
    [() => client.submit(coroutine).result(), division, [heading, `${frame} in fail`, division]],
    [() => client.run(inner), division, [heading, `${frame} in <lambda>`, division]],
    [() => client.runOnScheduler(inner), division, [heading, `${frame} in <lambda>`, division]],
    [() => client.submit(py.import('math.sqrt'), [-1]).result(), 'ValueError: math', ['ValueError: math domain error']],
    [() => client.submit(py`lambda: object()`).result(), 'value is a builtins.object', []],
    [() => client.submit(py`lambda: (x for x in [])`).result(), 'serialize', []],
    [() => client.submit(circle).result(), 'a list that is within itself', []],
    [() => client.submit((x: unknown) => x, [client.submit(py`lambda: len`)]).result(), 'no form in TypeScript', []],
    [() => client.submit(() => Symbol('s')).result(), 'it is a symbol', [expect.stringMatching(/^TypeError: Cannot/)]],
    [
      () => client.submit(async () => await import('node:fs/promises').then((fs) => fs.readFile('/no'))).result(),
      'ENOENT',
      ["Error: ENOENT: no such file or directory, open '/no'", expect.stringMatching(/ at async .*dask:anonymous/)],
    ],
  ]
  for (const [wait, message, lines] of told) {
    const error = await wait().catch((error: unknown) => error as TaskError)
    expect(error).toBeInstanceOf(TaskError)
    const { message: text, traceback, cause } = error as TaskError
    expect(text.split('\n')).toEqual([expect.stringContaining(message)])
    const stack = ((cause ?? {}) as Error).stack ?? ''
    if (traceback !== '') expect(stack).toBe(traceback.trimEnd())
    const shown = stack.split('\n').map((line) => line.replace(/, line \d+,/, ', line'))
    expect(stack === '' ? [] : shown).toEqual(lines)
  }
})

test('an error in JavaScript is the cause, with its class, stack, cause and what it carries', async () => {
  const { client } = shared()
  const failing = client.submit(() => {
    throw Object.assign(new RangeError('outer', { cause: new AggregateError([new TypeError('inner')], 'all') }), {
      status: 7,
    })
  })
  const error = await failing.exception()
  expect(error?.message).toMatch(/^Cannot compute ".*": RangeError: outer$/)
  const cause = error?.cause as RangeError & { status: number; cause: AggregateError }
  expect(cause).toBeInstanceOf(RangeError)
  expect(cause.status).toBe(7)
  expect(cause.stack).toMatch(/^RangeError: outer\n {4}at .*dask:anonymous:/)
  expect(cause.cause).toBeInstanceOf(AggregateError)
  expect(cause.cause.errors[0]).toBeInstanceOf(TypeError)
  const thrown = client.submit(() => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- anything can be thrown
    throw { any: 'thing' }
  })
  const error2 = await thrown.exception()
  expect(error2?.cause).toEqual({ any: 'thing' })
  expect(error2?.message).toContain(": threw { any: 'thing' }")
  // Even what cannot be read is told, and its Node process stays.
  const pid = await client.submit(() => process.pid, [], { workers: [1] }).result()
  const unreadable = client.submit(
    () => {
      throw Object.defineProperty(new Error('hidden'), 'message', {
        get: () => {
          throw new TypeError('no message')
        },
      })
    },
    [],
    { workers: [1] },
  )
  expect((await unreadable.exception())?.message).toContain('the function threw something that cannot be read')
  expect(await client.submit(() => process.pid, [], { workers: [1] }).result()).toBe(pid)
})

test('an error in a callback, or a rejection that nobody handles, fails the call that is under way', async () => {
  const { client } = shared()
  const timer = async (): Promise<void> => {
    setTimeout(() => {
      throw new RangeError('in a timer')
    }, 1)
    await new Promise(() => undefined)
  }
  const rejection = async (): Promise<void> => {
    void Promise.reject(new RangeError('in a promise'))
    await new Promise(() => undefined)
  }
  for (const [failing, text] of [
    [timer, 'in a timer'],
    [rejection, 'in a promise'],
  ] as const)
    for (const workers of [[1], [1]]) {
      const error = await client.submit(failing, [], { workers }).exception({ timeout: '4m' })
      expect(error).toMatchObject({ kind: 'javascript', cause: new RangeError(text) })
    }
  expect(await client.submit((x: number) => x, [1], { workers: [1] }).result()).toBe(1)
})
