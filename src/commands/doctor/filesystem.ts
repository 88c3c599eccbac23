import { readFile, realpath, statfs } from 'node:fs/promises'
import { isLocalFilesystem } from '../../filesystem/local-filesystem.ts'
import * as z from 'zod/mini'

/** The filesystem that a path is on. */
export const filesystemSchema = z.object({
  /** As the kernel names it: `nfs4`, `lustre`, `tmpfs`; `unknown` where it does not. */
  kind: z.string(),
  /** Whether that is a kind which only this host writes to. */
  local: z.boolean(),
  /** Room that is left, in bytes. */
  free: z.number(),
})
export type Filesystem = z.infer<typeof filesystemSchema>

/** The filesystem of `path`, which exists. */
export async function filesystemOf(path: string): Promise<Filesystem> {
  const [mounts, real, local, { bavail, bsize }] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
    realpath(path),
    isLocalFilesystem(path),
    statfs(path),
  ])
  return { kind: kindOfFilesystem(real, mounts) ?? 'unknown', local, free: bavail * bsize }
}

/** The kind of the innermost mount that `path` is below, of those in `mountinfo` (proc_pid_mountinfo(5)). */
export function kindOfFilesystem(path: string, mountinfo: string): string | undefined {
  let best: { readonly point: string; readonly kind: string } | undefined
  for (const line of mountinfo.split('\n')) {
    const [, point, kind] = /^\d+ \d+ \S+ \S+ (\S+) .*? - (\S+) /.exec(line) ?? []
    if (point === undefined || kind === undefined) continue
    const clear = point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    const isAbove = path === clear || path.startsWith(clear.endsWith('/') ? clear : `${clear}/`)
    // Of two mounts on one point the later one covers the earlier.
    if (isAbove && clear.length >= (best?.point.length ?? 0)) best = { point: clear, kind }
  }
  return best?.kind
}
