import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findHosts } from '../../src/spread/find-hosts.ts'
import { temporaryDirectory } from '../process/support/processes.ts'

const filesystemTimeout = 10_000

const namesIn = async (hostsFrom: string): Promise<readonly string[]> =>
  (await findHosts({}, { hostsFrom, filesystemTimeout })).hosts.map(({ name }) => name)

test('reads a file, through links too', async () => {
  const root = temporaryDirectory()
  writeFileSync(join(root, 'hosts'), 'a\nb\n')
  symlinkSync('hosts', join(root, 'link'))
  expect(await namesIn(join(root, 'link'))).toEqual(['a', 'b'])
})

test('refuses at once what is no regular file', async () => {
  const root = temporaryDirectory()
  const pipe = join(root, 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const [path, why] of [
    [pipe, 'it is a named pipe, not a regular file'],
    ['/dev/zero', 'it is a device, not a regular file'],
    [root, 'it is a directory, not a regular file'],
    [join(root, 'none'), 'there is no such file'],
  ] as const)
    await expect(namesIn(path)).rejects.toMatchObject({
      code: 'ERR_ENVIRONMENT',
      message: `Cannot read the hosts of "${path}": ${why}`,
    })
})

test('finds the line of a host that the file of the job names with its domain', async () => {
  const root = temporaryDirectory()
  const [hostsFrom, file] = [join(root, 'hosts'), join(root, 'nodes')]
  writeFileSync(hostsFrom, 'b\n')
  writeFileSync(file, 'a.x.org\na.x.org\nb.x.org\n')
  const { hosts } = await findHosts({ PBS_NODEFILE: file }, { hostsFrom, filesystemTimeout })
  expect(hosts).toEqual([{ name: 'b', slots: 1, line: 2 }])
})
