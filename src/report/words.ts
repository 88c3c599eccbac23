const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const

/** A span of time as a person would say it: `0.4 s`, `12.3 s`, `5 min 12 s`, `2 d 3 h`. */
export function formatSpan(seconds: number): string {
  if (seconds < 59.95) return `${Number(seconds.toFixed(1))} s`
  const whole = Math.round(seconds)
  const first = units.findIndex(([, size]) => whole >= size)
  const [unit, size] = units[first] ?? units[3]
  const [nextUnit, nextSize] = units[first + 1] ?? units[3]
  const next = Math.floor((whole % size) / nextSize)
  return `${Math.floor(whole / size)} ${unit}${next === 0 ? '' : ` ${next} ${nextUnit}`}`
}

/** A number with as many digits as tell something: `3`, `3.1`, `12,034`. */
export function formatNumber(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })
}

/** A part of a whole: `19 %`; nothing where there is no whole. */
export function formatPart(part: number, whole: number): string {
  if (whole <= 0) return '–'
  const percent = (part / whole) * 100
  return percent > 0 && percent < 1 ? '< 1 %' : `${Math.round(percent)} %`
}

/** The first of many, and in words how many more there are. */
export function firstOf<T>(
  all: readonly T[],
  most: number,
  what: string,
): { readonly shown: readonly T[]; readonly more: string } {
  const left = all.length - most
  return { shown: all.slice(0, most), more: left > 0 ? `and ${left.toLocaleString('en')} more ${what}` : '' }
}
