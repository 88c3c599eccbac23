import { mkdir, mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandOutput } from '../slurm/command.ts'
import { type FilesystemName, Missing } from './cell.ts'

/**
 * Makes a directory on a filesystem that one kernel serves. It is mounted in this process's mount namespace, whose end
 * unmounts it.
 *
 * @throws Missing where this kernel does not have it.
 */
export async function mountFilesystem(name: FilesystemName, scratch: string): Promise<string> {
  switch (name) {
    case 'tmpfs':
    case 'cached':
      return await mkdtemp('/dev/shm/dask-hpc-runner-matrix-')
    case 'ext4':
      return await mountExt4(scratch)
    case 'overlay':
      return await mountOverlay(scratch)
    case 'glusterfs':
    case 'nfs':
      throw new TypeError(`Cannot mount ${name} here: each host does it by itself`)
  }
}

/** A filesystem in a file. */
async function mountExt4(scratch: string): Promise<string> {
  await expectKernel('ext4', 'ext4')
  const [image, place] = [join(scratch, 'image'), join(scratch, 'mounted')]
  await mkdir(place)
  await commandOutput(['truncate', '--size=256M', image])
  await commandOutput(['mkfs.ext4', '-q', image])
  await mount(['-o', 'loop', image, place])
  return place
}

async function mountOverlay(scratch: string): Promise<string> {
  await expectKernel('overlay', 'overlay')
  const [lower, upper, work, place] = ['lower', 'upper', 'work', 'mounted'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
    string,
  ]
  for (const directory of [lower, upper, work, place]) await mkdir(directory)
  await mount(['-t', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, 'overlay', place])
  return place
}

/** @throws Missing where a kind of filesystem is not in /proc/filesystems. */
export async function expectKernel(kind: string, title: string): Promise<void> {
  const kinds = (await readFile('/proc/filesystems', 'utf8')).split('\n').map((line) => line.split('\t').at(-1))
  if (!kinds.includes(kind)) throw new Missing(`this kernel has not got ${title}: no "${kind}" in /proc/filesystems`)
}

async function mount(args: readonly string[]): Promise<void> {
  try {
    await commandOutput(['mount', ...args])
  } catch (error) {
    throw new Missing(`this machine does not mount it: ${error instanceof Error ? error.message : String(error)}`)
  }
}
