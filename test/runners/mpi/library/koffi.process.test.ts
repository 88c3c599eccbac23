import { chmod, copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster, program, type Started } from '../../../support/cluster.ts'
import { makePrivate, makeShared, shellAs, stranger, test, user, type User } from '../../../support/second-user.ts'

/** What an MPI launcher says to its only rank. */
const rank = { OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1', OMPI_COMM_WORLD_LOCAL_RANK: '0', PMIX_RANK: '0' }

/** Puts a package koffi into `folder` that leaves a mark where it was loaded. */
async function leaveKoffi(who: User, folder: string): Promise<void> {
  const script = `umask 022; mkdir -p "$1/koffi"; cd "$1/koffi"
  echo '{"name": "koffi", "main": "index.cjs"}' > package.json
  echo "require('fs').writeFileSync(process.env.MARK, ''); throw new Error('no real koffi')" > index.cjs`
  await shellAs(who, script, folder)
}

/** The program in a directory of the user's own, which lies in `parent`. */
async function programIn(parent: string): Promise<string> {
  const copy = join(await makePrivate(user, join(parent, 'own')), 'cli.cjs')
  await copyFile(program, copy)
  await chmod(copy, 0o644)
  return copy
}

/** Has the program say how the ranks would meet. */
function plan(cluster: Cluster, file: string, nodePath = ''): Started {
  return cluster.start(['node', file, 'plan'], { ...rank, NODE_PATH: nodePath, MARK: cluster.path('koffi-was-loaded') })
}

const places = ['in NODE_PATH', 'in a directory above the program'] as const

test.for(places)("a stranger's koffi %s is not loaded, and named", async (place) => {
  await using cluster = await Cluster.make({ user })
  const shared = await makeShared(cluster.directory, 'shared', 'sticky')
  const isAbove = place !== 'in NODE_PATH'
  const modules = isAbove ? join(shared, 'node_modules') : shared
  await leaveKoffi(stranger, modules)
  const run = plan(cluster, await programIn(isAbove ? shared : cluster.directory), isAbove ? '' : modules)
  await run.expectStatus(0)
  const why = `"${isAbove ? modules : join(modules, 'koffi')}" belongs to the user ${stranger.uid}`
  expect(run.stdout).toContain(
    `the package koffi in "${join(modules, 'koffi')}" is not trusted: ${why}; install it where`,
  )
  await cluster.expectNothingLeft()
})

test("the user's own koffi is not loaded where a stranger may put another in its place", async () => {
  await using cluster = await Cluster.make({ user })
  const shared = await makeShared(cluster.directory, 'shared', 'group')
  await leaveKoffi(user, shared)
  const run = plan(cluster, await programIn(cluster.directory), shared)
  await run.expectStatus(0)
  expect(run.stdout).toContain(`is not trusted: the group 60603 may write "${shared}" (mode 2770); install it where`)
  await cluster.expectNothingLeft()
})

test("the user's own koffi is loaded from where nobody else may write, below a sticky directory too", async () => {
  await using cluster = await Cluster.make({ user })
  const shared = await makeShared(cluster.directory, 'shared', 'sticky')
  const own = await makePrivate(user, join(shared, 'modules'))
  await leaveKoffi(user, own)
  const run = plan(cluster, await programIn(cluster.directory), own)
  await run.expectStatus(0)
  expect(run.stdout).toContain('the package koffi cannot be used: no real koffi')
  cluster.expectFile('koffi-was-loaded')
  await cluster.expectNothingLeft()
})
