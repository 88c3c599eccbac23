import type { RunContext } from '../identity/run-context.ts'
import { formatRunKey } from '../identity/run-key.ts'
import type { ClusterRecord } from '../record/cluster-record.ts'
import type { Failure, OutcomeRecord } from '../record/outcome-record.ts'

/** How a run ended, for those who come late: without a failure it is over. `cluster` says where rank 0 still answers. */
export function outcomeOf(
  { identity, options }: RunContext,
  failure: Failure | undefined,
  cluster: ClusterRecord | undefined,
): OutcomeRecord {
  return {
    version: 1,
    run_key: formatRunKey(identity.runKey),
    ...(failure === undefined ? {} : { failure }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(options.scheduler ? {} : { adds_workers: true }),
  }
}
