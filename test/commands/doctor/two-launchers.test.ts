import { expect, it } from 'vitest'
import { type DoctorMessage, examine } from '../../../src/commands/doctor/examine.ts'
import { systemEnvironment } from '../../support/environment.ts'

it('variables of two launchers are a problem that is told, and nothing else is looked at', async () => {
  const env = {
    ...systemEnvironment('pbs-pbsdsh'),
    SLURM_JOB_ID: '7',
    SLURM_STEP_ID: '0',
    SLURMD_NODENAME: 'elsewhere',
  }
  const told: DoctorMessage[] = []
  const tell = (message: DoctorMessage): unknown => told.push(message)
  await examine({ options: { env }, runner: 'auto', timeout: 1000 }, { tell, signal: new AbortController().signal })
  expect(told).toMatchObject([
    {
      type: 'finding',
      finding: { level: 'problem', subject: 'runner', advice: 'name the launcher by --runner slurm or --runner pbs' },
    },
    { type: 'done', silent: false },
  ])
})
