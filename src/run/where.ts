import type { Failure } from '../record/outcome-record.ts'

/** Where it failed, for a message that does not say so itself: ` (rank 1 on node1)`. */
export function whereOf({ message, rank, host, role }: Failure): string {
  // A part of the cluster is known by its name and its host.
  const names = says(message, ` on ${host}`) && (role !== undefined || says(message.toLowerCase(), `rank ${rank}`))
  return names ? '' : ` (rank ${rank} on ${host})`
}

/** Whether a text has these words, and not the beginning of others, as `node1` is of `node10`. */
function says(text: string, words: string): boolean {
  return text
    .split(words)
    .slice(1)
    .some((rest) => !/^[\w-]/.test(rest))
}
