/** Who makes a temporary name. */
export interface TemporaryName {
  readonly host: string
  readonly pid: number
  /** Twelve hexadecimal digits. */
  readonly random: string
}

/** `.{base}.{host}.{pid}.{random}.tmp`. Dots of the host become `_`, so that the name reads only one way. */
export function temporaryName(base: string, { host, pid, random }: TemporaryName): string {
  return `.${base}.${host.replace(/[^A-Za-z0-9-]/g, '_')}.${pid}.${random}.tmp`
}

/** Whether `name` is exactly a temporary name that a publication of `base` makes. */
export function isTemporaryName(name: string, base: string): boolean {
  const prefix = `.${base}.`
  return name.startsWith(prefix) && /^[A-Za-z0-9_-]+\.\d+\.[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length))
}
