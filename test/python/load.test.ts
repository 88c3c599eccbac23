import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test, vi } from 'vitest'
import load from '../../src/python/load.py'

vi.setConfig({ testTimeout: 60_000 })

/** A Python that executes load.py, then `program`. */
function python(program: string) {
  const child = spawn('python3', ['-c', `${load}\n${program}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

/** The CPUs of a user whom nobody else is. */
const alone = (n: number): string => `os.getuid = lambda: "test-${process.pid}-${n}"`

async function outputOf(program: string): Promise<string> {
  return (await text(python(program).stdout)).trim()
}

test('a context for TLS that is made meanwhile has its certificates as soon as it is used', async () => {
  const program = `
import ssl
with late_certificates():
    late = ssl.create_default_context()
    print("late", type(late) is ssl.SSLContext, isinstance(late, ssl.SSLContext))
plain = ssl.create_default_context()
print("plain", type(plain) is ssl.SSLContext)
print("same", late.cert_store_stats() == plain.cert_store_stats(), late.verify_mode == plain.verify_mode)
print("then", type(late) is ssl.SSLContext)
with late_certificates():
    other = ssl.create_default_context()
other.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
print("other", type(other) is ssl.SSLContext, other.cert_store_stats() == plain.cert_store_stats())
`
  expect((await outputOf(program)).split('\n')).toEqual([
    'late False True',
    'plain True',
    'same True True',
    'then True',
    'other True True',
  ])
})

test('a context that somebody has put in the place of the plain one is left alone', async () => {
  const program = `
import ssl
class Other(ssl.SSLContext):
    __class__ = property(lambda self: ssl.SSLContext)
ssl.SSLContext = Other
with late_certificates():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    print(type(context) is Other, ssl.SSLContext.load_default_certs is Other.__base__.load_default_certs)
`
  expect(await outputOf(program)).toBe('True True')
})

test('two imports of processes with one CPU take turns', async () => {
  const pinned = `${alone(1)}\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})`
  const first = python(`
${pinned}
with own_cpu(patience=60):
    print("has it", flush=True)
    input()
    time.sleep(0.5)
    print(time.monotonic())
`)
  await once(first.stdout, 'data')
  const second = python(`
${pinned}
print("comes", flush=True)
with own_cpu(patience=60):
    print(time.monotonic())
`)
  await once(second.stdout, 'data')
  const ends = Promise.all([text(first.stdout), text(second.stdout)])
  first.stdin.write('\n')
  const [left, came] = (await ends).map(Number)
  expect(came).toBeGreaterThan(left ?? NaN)
})

test('an import that waits for a CPU in vain goes on without, and one that is killed holds none', async () => {
  const pinned = `${alone(2)}\nos.sched_setaffinity(0, {max(os.sched_getaffinity(0))})`
  const holder = python(`
${pinned}
with own_cpu(patience=60):
    print("has it", flush=True)
    input()
`)
  await once(holder.stdout, 'data')
  const waited = `
${pinned}
began = time.monotonic()
with own_cpu(patience=10):
    print(time.monotonic() - began)
`
  expect(Number(await outputOf(waited.replace('10', '1')))).toBeGreaterThan(1)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  expect(Number(await outputOf(waited))).toBeLessThan(10)
})

test('YAML is read by the C library meanwhile, and as before afterwards', async () => {
  const program = `
import sys, types
yaml = types.ModuleType("yaml")
yaml.CSafeLoader, yaml.load, yaml.safe_load = "C", lambda stream, loader: [stream, loader], "plain"
sys.modules["yaml"] = yaml
with fast_yaml():
    print(yaml.safe_load("a: 1"))
print(yaml.safe_load)
`
  expect(await outputOf(program)).toBe("['a: 1', 'C']\nplain")
})
