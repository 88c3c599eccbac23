import { rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { Authority, type Certificate } from '../support/certificates.ts'
import { Cluster, program, programs } from '../support/cluster.ts'
import { launchers, mpich, mpiTest, openMpi, startRanks } from '../support/mpi.ts'
import { pythons } from '../support/pythons.ts'

const show = join(programs, 'tls_parts.py')
const parts = (python: string): string[] => ['--', python, show, '1']
const own = /^\S+ ?\d? \S+ (\/dev\/shm\/dask-hpc-runner-\S+-tls-\w+) 700 600 600 600$/gm

for (const launcher of launchers)
  mpiTest(`${launcher.name}: a secure run gives each rank its certificates, and none are left`, async () => {
    await using cluster = await Cluster.make()
    const known = pythons().flatMap(([, command]) => command ?? [])
    const runs = known.map((python) =>
      startRanks(cluster, launcher, 3, ['run', '--python', python, ...parts(python)], {
        DASK_HPC_RUNNER_SECURE: 'yes',
      }),
    )
    for (const run of runs) {
      await run.expectStatus(0)
      expect(run.stdout).toMatch(/\ntls 6\n$/)
      const directories = [...run.stdout.matchAll(own)].map(([, directory = '']) => directory)
      expect(new Set(directories).size, run.stdout).toBe(3)
      for (const directory of directories) expect(await stat(directory).catch(() => 'gone')).toBe('gone')
    }
    await cluster.expectNothingLeft()
  })

mpiTest(`${openMpi.name}: own certificates serve, and the newest Dask that is here takes them`, async () => {
  await using cluster = await Cluster.make()
  const { caFile, cert, key } = new Authority(join(cluster.directory, 'certificates')).sign('mine')
  const [python = 'python3'] = pythons()
    .flatMap(([, command]) => command ?? [])
    .slice(-1)
  const files = ['--tls-ca-file', caFile, '--tls-cert', cert, '--tls-key', key]
  const run = startRanks(cluster, openMpi, 3, ['run', ...files, '--python', python, ...parts(python)])
  await run.expectStatus(0)
  expect(run.stdout).toMatch(/\ntls 6\n$/)
  await cluster.expectNothingLeft()
})

mpiTest(
  `${mpich.name}: own certificates serve, and one that is missing for a rank is told with that rank`,
  async () => {
    await using cluster = await Cluster.make()
    const authority = new Authority(join(cluster.directory, 'certificates'))
    const { caFile, cert } = ['0', '1', '2'].map((rank) => authority.sign(rank))[0] as Certificate
    // Of each rank its own.
    const line =
      `exec "$0" "$1" run --tls-ca-file '${caFile}' --tls-cert "$2/$PMI_RANK.crt" --tls-key "$2/$PMI_RANK.key" ` +
      `-- python3 '${show}' 1`
    const command = ['sh', '-c', line, process.execPath, program, dirname(cert)]
    const run = cluster.start(mpich.command(3, ...command))
    await run.expectStatus(0)
    expect(run.stdout).toMatch(/\ntls 6\n$/)
    await cluster.expectNothingLeft()
    for (const rank of [0, 2]) {
      const file = join(dirname(cert), `${rank}.crt`)
      await rm(file)
      const broken = cluster.start(mpich.command(3, ...command))
      await broken.expectStatus(78)
      const why = `^\\[0 scheduler\\] error: Cannot use TLS: there is no file "${file}" for the certificate`
      expect(broken.errors()).toEqual([
        expect.stringMatching(new RegExp(`${why}${rank === 0 ? '' : `.* \\(rank ${rank} on `}`)),
      ])
      await cluster.expectNothingLeft()
      authority.sign(String(rank))
    }
  },
)
