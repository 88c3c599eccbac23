import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Cluster } from './cluster.ts'
import { commonGroup, makeShared, shellAs, stranger, test, user } from './second-user.ts'

test('the two users are ordinary, and have one group in common', async () => {
  for (const who of [user, stranger])
    expect(await shellAs(who, 'id -u; id -g; id -G; grep CapEff: /proc/self/status')).toBe(
      `${who.uid}\n${who.gid}\n${who.gid} ${commonGroup}\nCapEff:\t0000000000000000\n`,
    )
})

test.for(['sticky', 'group'] as const)('in a %s directory both may write', async (kind) => {
  await using cluster = await Cluster.make({ user })
  const shared = await makeShared(cluster.directory, 'shared', kind)
  await shellAs(user, 'cd "$1"; umask 077; echo mine > mine; mkdir own', shared)
  await shellAs(stranger, 'cd "$1"; echo his > his', shared)
  await expect(shellAs(stranger, 'cat "$1/mine"', shared)).rejects.toThrow('Permission denied')
  const taken = shellAs(stranger, 'cd "$1"; mv own away; rm -f mine', shared)
  if (kind === 'sticky') await expect(taken).rejects.toThrow('Operation not permitted')
  else await taken
  expect((await readdir(shared)).toSorted()).toEqual(kind === 'sticky' ? ['his', 'mine', 'own'] : ['away', 'his'])
})

test('the program and its Node can be run by an ordinary user, wherever they stand', async () => {
  await using cluster = await Cluster.make({ user })
  const run = cluster.run(['plan', '-n', '4'])
  await run.expectStatus(0)
  expect((await stat(join(cluster.directory, 'work'))).uid).toBe(user.uid)
  await cluster.expectNothingLeft()
})
