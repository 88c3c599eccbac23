import { expect, it } from 'vitest'
import { identifySlurm } from '../../../src/runners/slurm/identify-slurm.ts'
import { components } from '../../../src/runners/slurm/slurm-component.ts'
import { slurmHosts } from '../../../src/runners/slurm/slurm-hosts.ts'

const env = {
  ...{ SLURM_JOB_ID: '7', SLURM_STEP_ID: '0', SLURM_NTASKS: '4', SLURM_STEP_NUM_TASKS: '4' },
  ...{ SLURM_PROCID: '0', SLURM_LOCALID: '0', SLURM_NODEID: '0', SLURM_TASKS_PER_NODE: '2' },
}

it.each(['1000000000', '99999999999'])('a step of %s nodes is believed by nobody', (nodes) => {
  const me = identifySlurm({ ...env, SLURM_NNODES: nodes }, { identity: 'task' })
  expect(me).toMatchObject({ rank: 0, size: 4, nodes: 4, share: { processes: 2 } })
  expect(me.share.warnings).toEqual([`SLURM_NNODES is "${nodes}", which is not a whole number up to 1000000`])
  expect(slurmHosts({ ...env, SLURM_NNODES: nodes }, me)).toHaveLength(4)
})

it('the parts of a heterogeneous job have no more nodes together than there are', () => {
  const parts = { SLURM_JOB_NODELIST_HET_GROUP_0: 'n[1-500000]', SLURM_JOB_NODELIST_HET_GROUP_1: 'n[1-500000]' }
  expect(components(parts)).toHaveLength(2)
  expect(components({ ...parts, SLURM_JOB_NODELIST_HET_GROUP_2: 'n1' })).toHaveLength(2)
})
