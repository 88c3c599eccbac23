import { MemberRunner } from '../runners/local/local-runner.ts'
import { memberOrdersSchema } from '../runners/local/member-orders.ts'
import { readOrders } from './read-orders.ts'

/** One process of a `local` run: takes its orders from standard input, which stays open as long as the run. */
export async function runMember(): Promise<void> {
  const { identity, options, job } = await readOrders(memberOrdersSchema)
  await MemberRunner.start({ ...options, identityOfMember: identity, job })
}
