import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test as anyTest } from 'vitest'
import { cpus, OarCluster } from '../support/oar/oar-cluster.ts'
import { until } from '../support/until.ts'

const examples = resolve(import.meta.dirname, '../../examples')

/** A real OAR for the whole file, whose directory the jobs of all tests share. */
const test = anyTest
  .extend<{ oar: OarCluster }>({
    oar: [
      // eslint-disable-next-line no-empty-pattern -- Vitest reads the names of what a fixture needs
      async ({}, use) => {
        await using oar = await OarCluster.start()
        await use(oar)
      },
      { scope: 'file' },
    ],
  })
  .skipIf(process.env.DASK_HPC_RUNNER_TEST_NO_OAR !== undefined)

const held = `
import os, time
from dask.distributed import Client

if __name__ == "__main__":
    with Client() as client:
        print(client.submit(sum, [20, 1]).result(), flush=True)
        while True:
            time.sleep(1)
`

/** Has each host tell who a process of oarsh there is, and what a process of the job's script is. */
const whoIsWho = `
    import os, subprocess
    for host in dict.fromkeys(open(os.environ["OAR_NODEFILE"]).read().split()):
        subprocess.run(["oarsh", host, "dask-hpc-runner plan"], check=True)
    with Client() as client:
        print("threads", sum(client.nthreads().values()))
    print("the script", subprocess.run(["dask-hpc-runner", "plan"]).returncode, flush=True)
`

test('oar.sh runs as it is, the job has the status of its program, and oarsh tells each process its place', async ({
  oar,
}) => {
  const client = await readFile(join(examples, 'client.py'), 'utf8')
  const job = await submit(oar, `${client}${whoIsWho}    raise SystemExit(3)\n`)
  const { state, exit_code } = await oar.wait(job)
  const said = await outputOf(oar, job)
  expect(said).toContain('sum of squares: 285\n')
  expect(said).toMatch(new RegExp(`run spread-${job}\\.[0-9a-f]+-r0: 3 processes on 3 hosts`))
  for (const [rank, host] of oar.nodes.entries())
    expect(said).toContain(`this process: rank ${rank} of 3 on ${host} (host ${rank} in OAR_FILE_NODES of 3 hosts`)
  expect(said).toContain(`run key: oar-${job}.0-r0`)
  // Those of its control group: its line in the node file stands for all of them.
  expect(said).toContain(`threads ${cpus.length}\n`)
  expect(said).toContain('so this is the script of the job and not one of its tasks')
  expect(said).toContain('the script 78')
  expect({ state, status: Number(exit_code) >> 8 }, said).toEqual({ state: 'Terminated', status: 3 })
  await oar.expectNothingLeft()
  expect(await leftIn(oar)).toEqual([])
})

test('oardel ends all processes of the job at once', async ({ oar }) => {
  const job = await submit(oar, held)
  await expectOutput(oar, job, '21\n')
  await oar.on(['oardel', job])
  expect(await oar.wait(job)).toMatchObject({ state: 'Error' })
  await oar.expectNothingLeft()
})

test('a host that is lost ends the job, with the cause', async ({ oar }) => {
  const job = await submit(oar, held)
  await expectOutput(oar, job, '21\n')
  await oar.killHost(oar.nodes.at(-1) ?? '')
  const { exit_code } = await oar.wait(job)
  const said = await outputOf(oar, job)
  expect(Number(exit_code) >> 8, said).toBe(69)
  expect(said).toMatch(/Lost rank 2 \(worker\) on \S+/)
  await oar.expectNothingLeft()
})

/** Submits the script of the documentation, with a client of the test's own. */
async function submit(oar: OarCluster, client: string): Promise<string> {
  await copyFile(join(examples, 'oar.sh'), join(oar.source, 'oar.sh'))
  await writeFile(join(oar.source, 'client.py'), client)
  return await oar.submit(['-S', './oar.sh'])
}

/** What a job has printed: OAR has a file for each of its streams. */
async function outputOf(oar: OarCluster, job: string): Promise<string> {
  const read = async (name: string): Promise<string> => await readFile(join(oar.source, name), 'utf8').catch(() => '')
  return `${await read(`OAR.dask.${job}.stdout`)}${await read(`OAR.dask.${job}.stderr`)}`
}

async function expectOutput(oar: OarCluster, job: string, text: string): Promise<void> {
  await until(
    async () => await outputOf(oar, job),
    (all) => all.includes(text),
    {
      what: `job ${job} prints "${text}"`,
      say: async (all) => `${all}\n${await oar.logs()}`,
      interval: 100,
    },
  )
}

async function leftIn(oar: OarCluster): Promise<string[]> {
  return (await readdir(oar.source)).filter((name) => name.includes('scheduler'))
}
