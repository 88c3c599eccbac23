import { execFileSync } from 'node:child_process'
import { chmod, copyFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'vitest'
import { Cluster, programs, python } from '../support/cluster.ts'
import { commonGroup, makeShared, shellAs, stranger, test, user, type User } from '../support/second-user.ts'

/** Everything that Python and Dask may import, and much of what they look for in vain. */
const names = execFileSync(python, [
  '-c',
  `import sys, distributed
rest = "numpy pandas lz4 snappy zstandard bokeh cupy pynvml uvloop ucp gilknocker crick memray jupyter_server_proxy"
print(*{name.partition(".")[0] for name in [*sys.stdlib_module_names, *sys.modules, *rest.split()]} - {"__main__", "sys"})`,
])
  .toString()
  .trim()

/** The same as own_module.py, by the TypeScript client. */
const ownModule = `
import { Client, LocalRunner, py } from '${pathToFileURL(join(programs, '../../dist/index.js')).href}'
const runner = await LocalRunner.start({ ntasks: 3 })
const client = await Client.connect(runner)
console.log(await client.submit(py.import('ownmodule.value'), []).result())
await client.close()
await runner.close()
`

/** A directory in which a stranger has left a module under each name, and `who` modules of his own. */
async function trap(cluster: Cluster, who: User, kind: 'sticky' | 'group'): Promise<string> {
  const directory = await makeShared(cluster.directory, 'shared', kind)
  await shellAs(
    stranger,
    `cd "$1"; for name in $2 ownforeign; do echo "open('$1/stranger-was-run', 'a').write('$name\\n')" > $name.py; done
    mkdir -m 777 __pycache__`,
    directory,
    names,
  )
  await shellAs(
    who,
    `cd "$1"; echo 'def value(): return 7' > ownmodule.py; mkdir -p ownpackage
    touch ownpackage/__init__.py; echo 'def value(): return 8' > ownpackage/part.py`,
    directory,
  )
  return directory
}

/** Whether a module of the stranger's was run. */
async function hasRun(directory: string): Promise<boolean> {
  return (await readdir(directory)).includes('stranger-was-run')
}

test.for([
  ['a worker', 'sticky', []],
  ['workers that are forked', 'group', ['--nworkers', '2']],
  ['a nanny', 'sticky', ['--nanny', '--local-directory', '.']],
] as const)(
  "%s runs no module of a stranger's in a shared directory, and the user's own",
  async ([, kind, options]) => {
    await using cluster = await Cluster.make({ user })
    const directory = await trap(cluster, user, kind)
    const program = join(cluster.directory, 'bin/own_module.py')
    await copyFile(join(programs, 'own_module.py'), program)
    await chmod(program, 0o644)
    const run = cluster.run(
      ['local', '-n', '3', '--scheduler-file', cluster.path('F.json'), ...options, '--', 'python3', program],
      kind === 'group' ? { TMPDIR: directory } : {},
      directory,
    )
    await run.expectStatus(0)
    expect(run.stdout).toMatch(/^7 8 /m)
    // Dask puts a directory that it makes first on the path: it has to be in one that nobody else can enter.
    const ofShared = run.stdout.match(/'[^']*'/g)?.filter((path) => path.startsWith(`'${directory}`)) ?? []
    expect(ofShared.filter((path) => !path.startsWith(`'${directory}/dask-hpc-runner-`))).toEqual([])
    expect(ofShared.length > 0).toBe(options.some((option) => option === '--local-directory'))
    expect((await readdir(directory)).filter((name) => name.startsWith('dask-'))).toEqual([])
    // Where a stranger can rename it, not even that does.
    const instead = `] warn: the workers' files are in /tmp and not in TMPDIR: the group ${commonGroup} may write "${directory}" (mode 2770), so`
    expect(run.stderr.split(instead)).toHaveLength(kind === 'group' ? 2 : 1)
    expect(await hasRun(directory), run.output).toBe(false)
    expect(run.stderr).toMatch(
      /^\[.*worker.*\] dask-hpc-runner: '.*\/ownforeign\.py' is not imported, because somebody else /m,
    )
    await cluster.expectNothingLeft()
  },
)

test("doctor and the search for a Python run no module of a stranger's in a shared directory", async () => {
  await using cluster = await Cluster.make({ user })
  const directory = await trap(cluster, user, 'sticky')
  const doctor = cluster.run(['doctor', '--scheduler-file', cluster.path('F.json')], {}, directory)
  await doctor.expectStatus(0)
  expect(doctor.stdout).toMatch(/^ok +dask +distributed 2/m)
  expect(await hasRun(directory), doctor.output).toBe(false)
  await cluster.expectNothingLeft()
})

test("the TypeScript client's Python runs no module of a stranger's in a shared directory", async () => {
  await using cluster = await Cluster.make()
  await chmod(cluster.directory, 0o755)
  const root = { name: 'root', uid: 0, gid: 0 }
  const directory = await trap(cluster, root, 'sticky')
  const env = { DASK_HPC_RUNNER_SCHEDULER_FILE: cluster.path('F.json') }
  const program = join(cluster.directory, 'bin/own-module.mjs')
  await writeFile(program, ownModule)
  const run = cluster.start([process.execPath, program], env, directory)
  await run.expectStatus(0)
  expect(run.stdout).toBe('7\n')
  expect(await hasRun(directory), run.output).toBe(false)
})
