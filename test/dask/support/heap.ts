import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
export const collect = runInNewContext('gc') as () => void

/** Bytes that are allocated, on the heap and in buffers outside of it; garbage counts too. */
export function allocated(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** Bytes that what `make` gives keeps allocated. */
export function retained(make: () => unknown): number {
  make()
  collect()
  const before = allocated()
  const kept = [make()]
  collect()
  const bytes = allocated() - before
  kept.pop()
  return bytes
}
