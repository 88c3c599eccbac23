import { statfs } from 'node:fs/promises'

/** Filesystem types of Linux (statfs(2), linux/magic.h) whose every change this kernel makes itself. */
const local: ReadonlySet<number> = new Set([
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0x794c7630, // overlay
  0xf2f52010, // f2fs
  0xca451a4e, // bcachefs
  0x3153464a, // jfs
  0x52654973, // reiserfs
])

/** Whether `path` is on a filesystem known to be local; an unknown kind counts as a network's. */
export async function isLocalFilesystem(path: string): Promise<boolean> {
  if (process.platform !== 'linux') return false
  try {
    return local.has((await statfs(path)).type >>> 0)
  } catch {
    return false
  }
}
