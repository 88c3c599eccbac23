/** The commands that only this program itself starts, in a process or a thread of its own. */
export const ownCommands = ['member', 'mpi-helper', 'log-writer', 'heartbeat', 'examine'] as const
export type OwnCommand = (typeof ownCommands)[number]

/** What somebody is told who starts by hand a command that is none of his. */
export const hiddenOnly = 'dask-hpc-runner starts this command itself, see dask-hpc-runner --help'
