/** `1 worker`, `2 CPUs`, `0.5 CPUs`. */
export function formatCount(n: number, noun: string): string {
  return `${Number(n.toFixed(2))} ${noun}${n === 1 ? '' : 's'}`
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** A number of bytes in the unit that fits, with one digit at most behind the point: `512 MiB`, `2 GiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${units[power] ?? ''}`
}
