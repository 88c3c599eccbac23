/** What somebody is told who starts by hand a command that is none of his. */
export const hiddenOnly = 'dask-hpc-runner starts this command itself, see dask-hpc-runner --help'
