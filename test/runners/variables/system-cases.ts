import type { RunnerOptions } from '../../../src/options.ts'
import type { System } from '../../../src/runners/variables/systems.ts'

export type Changes = Readonly<Record<string, string | undefined>>

/** What is known of a row of the table: more of it is tried in every-system.test.ts. */
export interface SystemCase {
  readonly fixture: string
  readonly runner: System['runner']
  readonly host: string
  /** What the system does not say. */
  readonly given?: RunnerOptions
  /** Who the process of the fixture is. */
  readonly is: object
  readonly key: string
  readonly why: string
  /** Changes of the environment by the sentence that they end with. */
  readonly refused: Readonly<Record<string, Changes>>
}

export const systemCases: readonly SystemCase[] = [
  {
    fixture: 'spread',
    runner: 'spread',
    host: 'n2',
    is: {
      ...{ rank: 1, size: 2, nodes: 2 },
      share: { processes: 1, localRank: 0, cpus: [{ amount: 4, source: 'DASK_HPC_RUNNER_SPREAD_CPUS' }] },
    },
    key: 'spread-4711.1f0c9a2b-r0',
    why: 'DASK_HPC_RUNNER_SPREAD_RANK is "1", so this is a process of dask-hpc-runner spread',
    refused: {
      'DASK_HPC_RUNNER_SPREAD_RANK is "x", which is not a whole number': { DASK_HPC_RUNNER_SPREAD_RANK: 'x' },
      'but nothing tells how many processes dask-hpc-runner spread has started': {
        DASK_HPC_RUNNER_SPREAD_SIZE: undefined,
      },
      'DASK_HPC_RUNNER_SPREAD_RANK=2 but DASK_HPC_RUNNER_SPREAD_SIZE=2': { DASK_HPC_RUNNER_SPREAD_RANK: '2' },
      'DASK_HPC_RUNNER_SPREAD_RANK is "1", but DASK_HPC_RUNNER_SPREAD_JOB is not set': {
        DASK_HPC_RUNNER_SPREAD_JOB: undefined,
      },
    },
  },
  {
    fixture: 'aws-batch',
    runner: 'aws-batch',
    host: 'ip-10-0-3-20',
    is: { rank: 2, size: 4, nodes: 4, share: { processes: 1, localRank: 0 }, launcherAddresses: ['10.0.3.17'] },
    key: 'aws-batch-7f3c2a10-0b1d-4a53-9d5e-3f0f8a7c1b22.0-r0',
    why: 'AWS_BATCH_JOB_NODE_INDEX is "2", so this is a process of a multi-node parallel job of AWS Batch',
    refused: {
      'AWS_BATCH_JOB_NODE_INDEX is "two", which is not a whole number': { AWS_BATCH_JOB_NODE_INDEX: 'two' },
      'but nothing tells how many processes a multi-node parallel job of AWS Batch has started': {
        AWS_BATCH_JOB_NUM_NODES: undefined,
      },
      'AWS_BATCH_JOB_NUM_NODES is "x", which is not a whole number': { AWS_BATCH_JOB_NUM_NODES: 'x' },
      'AWS_BATCH_JOB_NUM_NODES=0, and a run has at least 1 process': { AWS_BATCH_JOB_NUM_NODES: '0' },
      'AWS_BATCH_JOB_NODE_INDEX=2 but AWS_BATCH_JOB_NUM_NODES=2, and tasks count from 0': {
        AWS_BATCH_JOB_NUM_NODES: '2',
      },
      'AWS_BATCH_JOB_NODE_INDEX is "2", but AWS_BATCH_JOB_ID is not set': { AWS_BATCH_JOB_ID: undefined },
      'AWS_BATCH_JOB_ATTEMPT is "first", which is not a whole number': { AWS_BATCH_JOB_ATTEMPT: 'first' },
      'AWS_BATCH_JOB_NODE_INDEX is "0" and AWS_BATCH_JOB_MAIN_NODE_INDEX is "0", but AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS is "10.0.3.17", which only other nodes have':
        { AWS_BATCH_JOB_NODE_INDEX: '0' },
    },
  },
  {
    fixture: 'lsf-jsrun',
    runner: 'lsf',
    host: 'c02.example.org',
    // The host of the script runs no task.
    is: { rank: 3, size: 4, nodes: 3, share: { processes: 2, localRank: 1 } },
    key: 'lsf-917.0-r0',
    why: 'JSM_NAMESPACE_RANK is "3", so this is a process of jsrun of LSF',
    refused: {
      'JSM_NAMESPACE_RANK is "-1", which is not a whole number': { JSM_NAMESPACE_RANK: '-1' },
      'but nothing tells how many processes jsrun of LSF has started': { JSM_NAMESPACE_SIZE: undefined },
      'JSM_NAMESPACE_RANK=3 but JSM_NAMESPACE_SIZE=3': { JSM_NAMESPACE_SIZE: '3' },
      'JSM_NAMESPACE_RANK is "3", but LSB_JOBID is not set': { LSB_JOBID: undefined },
      'LSB_MCPU_HOSTS is "c08 4", and this host is "c02.example.org", so the variables were inherited from another job':
        {
          LSB_MCPU_HOSTS: 'c08 4',
        },
    },
  },
  {
    fixture: 'lsf-blaunch',
    runner: 'lsf',
    host: 'c02',
    is: { rank: 3, size: 4, nodes: 2, share: { processes: 2 } },
    key: 'lsf-918.0-r0',
    why: 'LSF_PM_TASKID is "4", so this is a process of blaunch of LSF',
    refused: {
      'LSF_PM_TASKID is "0", and tasks count from 1': { LSF_PM_TASKID: '0' },
      'LSF_PM_TASKID is "4.5", which is not a whole number': { LSF_PM_TASKID: '4.5' },
      'LSF_PM_TASKID=5 but 4 slots in LSB_MCPU_HOSTS, and tasks count from 1': { LSF_PM_TASKID: '5' },
      'but nothing tells how many processes blaunch of LSF has started; name that by --size': {
        LSB_MCPU_HOSTS: undefined,
      },
      'LSB_MCPU_HOSTS is "c01 c02", which is not a list such as': { LSB_MCPU_HOSTS: 'c01 c02' },
      'LSB_MCPU_HOSTS is "c07 2 c08 2", and this host is "c02"': { LSB_MCPU_HOSTS: 'c07 2 c08 2' },
      'LSF_PM_TASKID is "4", but LSB_JOBID is ""': { LSB_JOBID: '' },
    },
  },
  {
    fixture: 'pbs-pbsdsh',
    runner: 'pbs',
    host: 'n2',
    is: { rank: 3, size: 4, nodes: 2, share: { processes: 2 } },
    key: 'pbs-1672.mgt1.example.org.0-r0',
    why: 'PBS_VNODENUM is "3", so this is a process of pbsdsh of PBS',
    refused: {
      'PBS_VNODENUM is "x", which is not a whole number': { PBS_VNODENUM: 'x' },
      'but nothing tells how many processes pbsdsh of PBS has started; name that by --size': { PBS_NP: undefined },
      'PBS_VNODENUM=3 but PBS_NP=3': { PBS_NP: '3' },
      'PBS_VNODENUM is "3", but PBS_JOBID is not set': { PBS_JOBID: undefined },
      'PBS_TASKNUM is "1" and PBS_NODENUM is "0", so this is the script of the job and not one of its tasks; start me with pbsdsh':
        { PBS_TASKNUM: '1', PBS_NODENUM: '0', PBS_VNODENUM: '0' },
    },
  },
  {
    fixture: 'grid-engine-array',
    runner: 'grid-engine',
    host: 'n2',
    is: { rank: 2, size: 4, nodes: 4, share: { processes: 1, cpus: [{ amount: 4, source: 'NSLOTS' }] } },
    key: 'grid-engine-4711.0-r0',
    why: 'SGE_TASK_ID is "31", so this is a process of an array job of Grid Engine',
    refused: {
      'SGE_TASK_ID is "a", which is not a whole number': { SGE_TASK_ID: 'a' },
      'SGE_TASK_ID is "31" but SGE_TASK_FIRST is not set': { SGE_TASK_FIRST: undefined },
      'SGE_TASK_ID is "31" but SGE_TASK_LAST is not set': { SGE_TASK_LAST: undefined },
      'SGE_TASK_LAST is "undefined", which is not a whole number': { SGE_TASK_LAST: 'undefined' },
      'SGE_TASK_ID is "31" but SGE_TASK_STEPSIZE is "0"': { SGE_TASK_STEPSIZE: '0' },
      'SGE_TASK_ID is "32" but SGE_TASK_FIRST is "11" and SGE_TASK_STEPSIZE is "10"': { SGE_TASK_ID: '32' },
      'SGE_TASK_ID is "1" but SGE_TASK_FIRST is "11"': { SGE_TASK_ID: '1' },
      'SGE_TASK_ID=51 but SGE_TASK_FIRST=11 to SGE_TASK_LAST=41': { SGE_TASK_ID: '51' },
      'SGE_TASK_LAST is "1" but SGE_TASK_FIRST is "11"': { SGE_TASK_LAST: '1' },
      'SGE_TASK_ID is "31", but JOB_ID is not set': { JOB_ID: undefined },
    },
  },
  {
    fixture: 'oar',
    runner: 'oar',
    host: 'idpot-4',
    is: { rank: 2, size: 3, nodes: 3, share: { processes: 1, localRank: 0 } },
    key: 'oar-4211.0-r0',
    why: 'OAR_FILE_NODES is "fixtures/systems/oar-nodes/4211", so this is a process of oarsh of OAR',
    refused: {
      'OAR_FILE_NODES is "/nowhere/4211", which cannot be used: there is no such file': {
        OAR_FILE_NODES: '/nowhere/4211',
      },
      'OAR_FILE_NODES is "/dev/null", which cannot be used: it is a device, not a regular file': {
        OAR_FILE_NODES: '/dev/null',
      },
      'oar-nodes/4211" but OAR_JOB_ID is "4212", so one was inherited from another job': { OAR_JOB_ID: '4212' },
      'oar-nodes/4211", but OAR_JOB_ID is not set': { OAR_JOB_ID: undefined },
      'SUDO_COMMAND is "OAR" and OAR_FILE_NODES has 3 hosts, so this is the script of the job and not one of its tasks':
        { SUDO_COMMAND: 'OAR' },
    },
  },
  {
    fixture: 'kubernetes',
    runner: 'kubernetes',
    host: 'dask-2',
    given: { size: 4, runIdFrom: 'JOB_UID' },
    is: { rank: 2, size: 4, nodes: 4, share: { processes: 1 } },
    key: 'kubernetes-0d6b2f6c-7f5c-4b0c-8b38-0c8f4ac7a3f5.0-r0',
    why: 'JOB_COMPLETION_INDEX is "2", so this is a process of an Indexed Job of Kubernetes',
    refused: {
      'JOB_COMPLETION_INDEX is "x", which is not a whole number': { JOB_COMPLETION_INDEX: 'x' },
      'JOB_COMPLETION_INDEX=4 but size 4, and tasks count from 0': { JOB_COMPLETION_INDEX: '4' },
      'JOB_UID is not set, and runIdFrom names it': { JOB_UID: undefined },
    },
  },
]
