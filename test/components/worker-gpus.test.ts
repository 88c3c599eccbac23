import { describe, expect, it, test } from 'vitest'
import { beginsWith, withGpus, workerGpus, type WantedGpus } from '../../src/components/worker-gpus.ts'
import type { Environment } from '../../src/identity/environment.ts'
import type { Share } from '../../src/identity/share.ts'
import { slurmShare } from '../../src/runners/slurm/slurm-share.ts'
import { slurmEnvironment } from '../support/environment.ts'

const four = { CUDA_VISIBLE_DEVICES: '0,1,2,3' }
const one: WantedGpus = { nworkers: 1 }

/** The list of each worker of each task of a node, and how many GPUs each worker has. */
function ofTasks(env: Environment, tasks: number, wanted: WantedGpus = one, gpus?: Share['gpus'], list?: string) {
  const [name = ''] = list === undefined ? Object.keys(env) : [list]
  const all = Array.from({ length: tasks }, (_, localRank) =>
    workerGpus(env, { processes: tasks, localRank, ...(gpus && { gpus }) }, wanted),
  )
  return { lists: all.flatMap((each) => each?.environments.map((variables) => variables[name])), each: all[0]?.each }
}

describe('four tasks that see four GPUs', () => {
  test('begin with one each, and see those of the others', () => {
    expect(ofTasks(four, 4)).toEqual({ lists: ['0,1,2,3', '1,2,3,0', '2,3,0,1', '3,0,1,2'], each: 1 })
  })

  test.each([
    ['CUDA_VISIBLE_DEVICES', 'GPU-8932f937-d72c,GPU-4a2b,GPU-1,GPU-2'],
    ['CUDA_VISIBLE_DEVICES', 'MIG-GPU-8932f937-d72c/1/0,MIG-GPU-8932f937-d72c/2/0,MIG-3,MIG-4'],
    ['CUDA_VISIBLE_DEVICES', '4, 5, 6, 7'],
    ['HIP_VISIBLE_DEVICES', '0,1,2,3'],
    ['ROCR_VISIBLE_DEVICES', '0,GPU-DEADBEEFDEADBEEF,2,3'],
    ['GPU_DEVICE_ORDINAL', '0,1,2,3'],
    ['ZE_AFFINITY_MASK', '0.0,0.1,1.0,1.1'],
  ])('do so in whatever way they are named: %s=%s', (name, list) => {
    const names = list.split(',').map((each) => each.trim())
    const firsts = ofTasks({ [name]: list }, 4).lists.map((each) => each?.split(',')[0])
    expect(firsts).toEqual(names)
  })
})

describe('the GPUs of a task', () => {
  it('are divided among its workers', () => {
    expect(ofTasks(four, 1, { nworkers: 4 })).toEqual({ lists: ['0,1,2,3', '1,2,3,0', '2,3,0,1', '3,0,1,2'], each: 1 })
    expect(ofTasks(four, 2, { nworkers: 2 }).lists).toEqual(['0,1,2,3', '1,2,3,0', '2,3,0,1', '3,0,1,2'])
  })

  it('are all of those of one worker', () => {
    expect(ofTasks(four, 1)).toEqual({ lists: ['0,1,2,3'], each: 4 })
    expect(ofTasks(four, 2)).toEqual({ lists: ['0,1,2,3', '2,3,0,1'], each: 2 })
  })

  it('are told by number and name', () => {
    const gpus = (wanted: WantedGpus, env: Environment = four) =>
      workerGpus(env, { processes: 2, localRank: 1 }, wanted)
    const of = (...args: Parameters<typeof gpus>) => {
      const found = gpus(...args)
      return found && Array.from({ length: args[0].nworkers }, (_, i) => beginsWith(found, i))
    }
    expect(of({ nworkers: 2 })).toEqual([
      { count: 1, devices: ['2'] },
      { count: 1, devices: ['3'] },
    ])
    expect(of({ nworkers: 1, gpusPerWorker: 8 })).toEqual([{ count: 4, devices: ['0', '1', '2', '3'] }])
    expect(of({ nworkers: 1, gpusPerWorker: 1 }, {})).toEqual([{ count: 0, devices: [] }])
  })

  it('are as many as the user wants', () => {
    expect(ofTasks(four, 2, { nworkers: 1, gpusPerWorker: 1 })).toEqual({ lists: ['0,1,2,3', '1,2,3,0'], each: 1 })
    expect(ofTasks(four, 4, { nworkers: 1, gpusPerWorker: 2 }).lists).toEqual([
      '0,1,2,3',
      '2,3,0,1',
      '0,1,2,3',
      '2,3,0,1',
    ])
  })

  it('are left alone where the user wants that', () => {
    expect(workerGpus(four, { processes: 4, localRank: 1 }, { nworkers: 1, gpusPerWorker: 0 })).toBeUndefined()
  })

  it('are shared where there are too few, one after the other', () => {
    expect(ofTasks({ CUDA_VISIBLE_DEVICES: '0,1' }, 4)).toEqual({ lists: ['0,1', '1,0', '0,1', '1,0'], each: 1 })
  })

  it('stay with nobody where they cannot be divided', () => {
    expect(ofTasks(four, 3)).toEqual({ lists: ['0,1,2,3', '1,2,3,0', '2,3,0,1'], each: 1 })
  })

  it.each(['', '-1', 'NoDevFiles', 'none', ' ', 'NoDevFiles,0', 'all', ','])(
    'are none where the list says %j',
    (list) => {
      expect(workerGpus({ CUDA_VISIBLE_DEVICES: list }, { processes: 1 }, one)).toBeUndefined()
    },
  )

  it('end where CUDA takes its list to end', () => {
    expect(ofTasks({ CUDA_VISIBLE_DEVICES: '2,3,-1,0' }, 2).lists).toEqual(['2,3', '3,2'])
  })

  it('are only a resource where no variable lists any and the user names a number', () => {
    expect(workerGpus({}, { processes: 2 }, { nworkers: 2, gpusPerWorker: 1 })).toMatchObject({
      each: 1,
      visible: 0,
      environments: [{}, {}],
    })
  })
})

test('lists that count within each other are rotated once', () => {
  const all = { ...four, ROCR_VISIBLE_DEVICES: '0,1,2,3', GPU_DEVICE_ORDINAL: '0,1,2,3', ZE_AFFINITY_MASK: '0,1,2,3' }
  expect(workerGpus(all, { processes: 4, localRank: 1 }, one)?.environments).toEqual([
    { CUDA_VISIBLE_DEVICES: '1,2,3,0', GPU_DEVICE_ORDINAL: '1,2,3,0', ZE_AFFINITY_MASK: '1,2,3,0' },
  ])
})

describe('what Slurm has narrowed down', () => {
  const bound = { onNode: 4, areBound: true }

  it('stays as it is', () => {
    // --gpus-per-task=1 and 2; behind a control group each task may count from 0.
    expect(ofTasks({ CUDA_VISIBLE_DEVICES: '3' }, 4, one, bound)).toMatchObject({
      lists: ['3', '3', '3', '3'],
      each: 1,
    })
    expect(ofTasks({ CUDA_VISIBLE_DEVICES: '0,1' }, 2, one, bound)).toEqual({ lists: ['0,1', '0,1'], each: 2 })
    expect(ofTasks({ CUDA_VISIBLE_DEVICES: '0,1' }, 2, one, { areBound: true })).toEqual({
      lists: ['0,1', '0,1'],
      each: 2,
    })
  })

  it('is divided among the workers of the task', () => {
    expect(ofTasks({ CUDA_VISIBLE_DEVICES: '2,3' }, 2, { nworkers: 2 }, bound).lists).toEqual([
      '2,3',
      '3,2',
      '2,3',
      '3,2',
    ])
  })

  it('is divided among the tasks that must see the same, where together they see more than there is', () => {
    // --gpu-bind=closest: two sockets of two GPUs and two tasks each.
    expect(ofTasks({ CUDA_VISIBLE_DEVICES: '0,1' }, 4, one, bound)).toEqual({
      lists: ['0,1', '1,0', '0,1', '1,0'],
      each: 1,
    })
  })

  it('is not narrowed where each task sees all of them', () => {
    expect(ofTasks(four, 4, one, bound).lists[3]).toBe('3,0,1,2')
  })

  it('is told by what Slurm leaves in a task', () => {
    const shared = slurmEnvironment('gpu-shared-proc3')
    expect(workerGpus(shared, slurmShare(shared), one)).toMatchObject({
      each: 1,
      source: 'CUDA_VISIBLE_DEVICES ÷ 4 tasks',
      environments: [{ CUDA_VISIBLE_DEVICES: '3,0,1,2' }],
    })
    const own = slurmEnvironment('gpu-per-task-proc1')
    const asked = { SLURMD_TRES_BIND: undefined, SLURM_GPUS_PER_TASK: undefined, SLURM_TRES_PER_TASK: 'gres/gpu=2' }
    for (const changes of [
      {},
      { SLURM_GPUS_ON_NODE: undefined },
      { SLURMD_TRES_BIND: undefined },
      { ...asked, SLURM_GPUS_ON_NODE: undefined },
    ])
      expect(workerGpus(own, slurmShare({ ...own, ...changes }), one)).toMatchObject({
        each: 2,
        source: 'CUDA_VISIBLE_DEVICES',
        environments: [{ CUDA_VISIBLE_DEVICES: '2,3' }],
      })
  })
})

describe('the resource GPU', () => {
  it('joins what the user has named', () => {
    expect(withGpus('MEM=2e9', 2)).toEqual({ given: { resources: 'MEM=2e9 GPU=2' }, offered: {} })
    expect(withGpus('MEM=2e9,X=1', 1).given).toEqual({ resources: 'MEM=2e9,X=1 GPU=1' })
  })

  it('does not replace what the user has named', () => {
    expect(withGpus('GPU=8 MEM=2e9', 1)).toEqual({ given: {}, offered: {} })
    expect(withGpus('GPUS=8', 1).given).toEqual({ resources: 'GPUS=8 GPU=1' })
  })

  it('is offered where the configuration of Dask may say otherwise', () => {
    expect(withGpus(undefined, 2)).toEqual({ given: {}, offered: { GPU: 2 } })
  })

  it('is none without GPUs', () => {
    expect(withGpus('MEM=2e9')).toEqual({ given: {}, offered: {} })
    expect(withGpus(undefined, 0)).toEqual({ given: {}, offered: {} })
  })
})
