import { groupLimits, type ReadText } from '../../src/process/cgroup.ts'
import type { NodeLimits } from '../../src/process/limits.ts'

/** A filesystem of these texts by path. */
export function textsOf(files: Readonly<Record<string, string>>): ReadText {
  return (path) => files[path]
}

/** A big machine that limits nothing, with `changes` made. */
export function nodeLimits(changes: Partial<NodeLimits> = {}): NodeLimits {
  return {
    cpus: 64,
    affinity: 64,
    memory: 2 ** 40,
    residentSet: undefined,
    groups: groupLimits(textsOf({})),
    ...changes,
  }
}

/** /proc/self/mountinfo of a machine with control groups of version 1, and beside them of 2 without controllers. */
export const mountsOfVersion1 = `
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
38 31 0:40 / /sys/fs/cgroup/hugetlb rw,relatime - cgroup cgroup rw,hugetlb
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`
/** Of one with version 2. */
export const mountsOfVersion2 = `
31 23 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate
32 23 0:29 / /proc rw - proc proc rw
`
/** How version 1 says that there is no limit of memory. */
export const noLimit = '9223372036854771712'
