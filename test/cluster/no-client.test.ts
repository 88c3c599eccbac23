import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.ts'

const nobodyCame = /^\[0 scheduler[^\]]*\] no client has connected to the scheduler\. .*--cleanenv.*LocalCluster/gm

const ofItsOwn = `
from distributed import Client, LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster, Client(cluster) as client:
        print(client.submit(sum, [1, 2]).result())
    raise SystemExit(3)`

// Without what their own Dask says: now and then 2022.12 closes a LocalCluster with "Future exception was never retrieved".
const cleaned = 'env -i PATH="$PATH" python3 -c "$0" 2>/dev/null'
const inherited = 'exec python3 -c "$0" 2>/dev/null'

test.for([
  ['in a cleaned environment', 0, ['sh', '-c', cleaned, ofItsOwn.replace('raise', '# ')]],
  ['with a cluster of its own, which fails', 3, ['sh', '-c', inherited, ofItsOwn]],
  ['that uses no Dask', 0, ['true']],
] as const)('a program %s is told that no client has connected, and keeps its status', async ([, status, command]) => {
  await using cluster = await Cluster.make()
  cluster.expectFile('dask-worker-space')
  cluster.expectTemporary('dask-*-space')
  const run = cluster.run(['local', '-n', '1', '--scheduler-file', 'F.json', '--', ...command])
  await run.expectStatus(status)
  expect(run.stderr.match(nobodyCame), run.output).toHaveLength(1)
  run.expectNoAlarm()
  await cluster.expectNothingLeft()
})
