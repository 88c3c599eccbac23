import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cluster, programs } from './cluster.ts'

const fixtures = join(programs, '../faults')

/** A Python like `python` whose scheduler is held in its import of Dask until {@link goImport} is there. Gives its path. */
export async function heldPython(cluster: Cluster, python: string): Promise<string> {
  await cp(join(fixtures, 'hold_import'), join(cluster.directory, 'hold_import'), { recursive: true })
  const path = join(cluster.directory, 'bin/held')
  const hold = `case "$*" in *scheduler*) export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='${cluster.directory}/hold_import';; esac`
  await writeFile(path, `#!/bin/sh\n${hold}\nexec '${python}' "$@"\n`, { mode: 0o755 })
  return path
}

/** The file that lets it go on. */
export function goImport(cluster: Cluster): string {
  return join(cluster.directory, 'go-import')
}
