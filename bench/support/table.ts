/** The middle of the values. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = Number.NaN] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : [sorted[middle - 1], sorted[middle]]
  return (low + high) / 2
}

/** Rows of measurements as a readable table: each one's median, minimum and maximum. */
export function table(title: string, rows: readonly (readonly [string, readonly number[]])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, values]) => {
    const cells = [medianOf(values), Math.min(...values), Math.max(...values)]
    return `${name.padEnd(width)}${cells.map((cell) => cell.toFixed(0).padStart(9)).join('')}`
  })
  return [title, `${''.padEnd(width)}   median      min      max`, ...lines, ''].join('\n')
}
