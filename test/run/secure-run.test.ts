import { expect, it } from 'vitest'
import { completeOptions } from '../../src/options.ts'
import { parseSchedulerFile } from '../../src/record/parse.ts'
import { certificatesOfOther } from '../../src/run/secure-run.ts'

it('no certificates are asked of a cluster that has none to give, and what says so is named', async () => {
  const text = JSON.stringify({ type: 'Scheduler', id: 'S', address: 'tcp://10.0.0.1:1', services: {}, workers: {} })
  const parsed = parseSchedulerFile(text)
  if (parsed.kind !== 'valid') throw new Error(parsed.kind)
  const options = completeOptions({ secure: true, sources: { secure: 'DASK_HPC_RUNNER_SECURE' } })
  const asked = certificatesOfOther(parsed.file, { options, signal: new AbortController().signal })
  await expect(asked).rejects.toThrow(
    'Cannot join the cluster at tcp://10.0.0.1:1 with DASK_HPC_RUNNER_SECURE: it was not started with it; say --no-secure, or name',
  )
})
