import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { pythonEnvironment, withoutDirectory } from '../../src/python/loader.ts'
import ownModules from '../../src/python/own-modules.py'
import { temporaryDirectory } from '../process/support/processes.ts'

vi.setConfig({ testTimeout: 60_000 })

/** What a Python prints that runs `program` in `directory`, once it finds own modules there. */
async function runIn(directory: string, program: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const text = `${withoutDirectory}exec(${JSON.stringify(ownModules)}, {})\n${program}`
  const options = { cwd: directory, env: pythonEnvironment({ PATH: process.env.PATH, ...env }) }
  const { stdout, stderr } = await promisify(execFile)('python3', ['-c', text], options)
  return stdout + stderr
}

const tryImports = `
for name in ["good", "linked", "package.part", "open_to_all", "open_package.part", "wave", "missing"]:
    try:
        module = __import__(name, fromlist=["value"])
        print(name, getattr(module, "value", None))
    except ModuleNotFoundError:
        print(name, "is not found")`

function someModules(): string {
  const directory = temporaryDirectory()
  for (const name of ['package', 'open_package']) mkdirSync(join(directory, name))
  for (const name of ['good.py', 'open_to_all.py', 'package/part.py', 'open_package/part.py', 'wave.py'])
    writeFileSync(join(directory, name), 'value = 1\n')
  symlinkSync('good.py', join(directory, 'linked.py'))
  for (const name of ['open_to_all.py', 'open_package']) chmodSync(join(directory, name), 0o777)
  return directory
}

test('own modules are found in the working directory, after all others, and none that anybody may write', async () => {
  const said = await runIn(someModules(), tryImports)
  expect(said.split('\n').filter((line) => !line.includes('dask-hpc-runner'))).toEqual([
    'good 1',
    'linked 1',
    'package.part 1',
    'open_to_all is not found',
    'open_package.part is not found',
    'wave None',
    'missing is not found',
    '',
  ])
  expect(said.match(/is not imported, because somebody else owns it or may write it/g)).toHaveLength(2)
})

test('a module that a group may write is left out, unless that group has no other member than the user', async () => {
  const directory = temporaryDirectory()
  for (const name of ['folder', 'good_folder']) mkdirSync(join(directory, name))
  for (const name of ['ours.py', 'folder/__init__.py', 'good.py', 'good_folder/__init__.py'])
    writeFileSync(join(directory, name), 'value = 1\n')
  for (const name of ['ours.py', 'folder']) {
    // Of root and its group, which would be as good as root's own.
    if (process.getuid?.() === 0) chownSync(join(directory, name), 0, 60_603)
    chmodSync(join(directory, name), 0o775)
  }
  const groupOf = (members: string): string => `
import grp, os, pwd
gid = os.stat("ours.py").st_gid
pwd.getpwuid = lambda uid: pwd.struct_passwd(("anna", "x", uid, gid, "", "/", "/bin/sh"))
grp.getgrgid = lambda gid: grp.struct_group((${members}, gid, []))
`
  const imports = 'for name in ["ours", "folder", "good", "good_folder"]:\n'
  const program = `${imports}    try:\n        print(__import__(name).value)\n    except ImportError:\n        print("left out")`
  const shared = await runIn(directory, groupOf('"project", "x"') + program)
  expect(shared.match(/^(1|left out)$/gm)).toEqual(['left out', 'left out', '1', '1'])
  expect(shared).toContain("/folder' is not imported")
  const own = await runIn(directory, groupOf('"anna", "x"') + program)
  expect(own).toBe('1\n1\n1\n1\n')
})

test('what lies in __pycache__ there is not believed', async () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'good.py'), 'value = 1\n')
  const plant = `
import importlib.util, os, py_compile
seen = os.stat("good.py")
open("evil.py", "w").write("value = 2\\n")
os.utime("evil.py", ns=(seen.st_atime_ns, seen.st_mtime_ns))
py_compile.compile("evil.py", importlib.util.cache_from_source("good.py"))`
  await runIn(directory, plant)
  expect(await runIn(directory, 'import good; print(good.value)')).toBe('1\n')
})

test('PYTHONPATH is respected, and PYTHONSAFEPATH where the Python knows it', async () => {
  const directory = someModules()
  expect(await runIn('/', 'import good; print(good.value)', { PYTHONPATH: directory })).toBe('1\n')
  const found =
    'import importlib.util, sys; print(hasattr(sys.flags, "safe_path"), importlib.util.find_spec("good") is not None)'
  expect(await runIn(directory, found, { PYTHONSAFEPATH: '1' })).toMatch(/^(True False|False True)\n$/)
  // Where the user names the working directory there, it stays.
  const first = 'import sys; print(sys.path[0])'
  expect(await runIn(directory, first, { PYTHONPATH: `${directory}:` })).toBe(`${directory}\n`)
})

test.each([':/nowhere', '/nowhere:', '/nowhere::/nowhere', ':'])(
  'PYTHONPATH=%s has nobody else run code by a module in the working directory',
  async (path) => {
    const directory = someModules()
    for (const name of ['yaml.py', 'sitecustomize.py']) writeFileSync(join(directory, name), 'print("a stranger")\n')
    chmodSync(join(directory, 'yaml.py'), 0o666)
    const all = 'import good, importlib.util; print(good.value, importlib.util.find_spec("open_to_all"))'
    expect(await runIn(directory, all, { PYTHONPATH: path })).toMatch(/^1 None\n/)
  },
)
