/** Groups in the order of their first member. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const its = key(item)
    const group = groups.get(its)
    if (group === undefined) groups.set(its, [item])
    else group.push(item)
  }
  return [...groups]
}
