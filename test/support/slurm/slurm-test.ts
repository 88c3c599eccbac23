import { test } from 'vitest'
import { SlurmCluster, type SlurmOptions } from './slurm-cluster.ts'
import { hasFreezer } from './cgroups.ts'
import { Workspace } from './workspace.ts'

/** What a test under Slurm gets. */
export interface SlurmFixtures {
  /** The cluster of the test's file. */
  readonly slurm: SlurmCluster
  /** The test's own place on it. */
  readonly work: Workspace
}

/** Whether the set-up of the test run has found that Slurm cannot run here. */
export const noSlurm = process.env.DASK_HPC_RUNNER_TEST_NO_SLURM !== undefined

/**
 * Vitest's `test` with a Slurm cluster for the whole file; skipped where there can be none.
 */
export function slurmTest(options: SlurmOptions = {}) {
  const extended = test.extend<SlurmFixtures>({
    slurm: [
      // eslint-disable-next-line no-empty-pattern -- Vitest reads the names of what a fixture needs
      async ({}, use) => {
        await using slurm = await SlurmCluster.start(options)
        await use(slurm)
        await slurm.expectNothingLeft()
      },
      { scope: 'file' },
    ],
    work: async ({ slurm }, use) => {
      await using work = await Workspace.make(slurm)
      await use(work)
    },
  })
  const cannotConstrain = options.constrainMemory === true && !hasFreezer() && process.env.CI !== 'true'
  return extended.skipIf(noSlurm || cannotConstrain)
}
