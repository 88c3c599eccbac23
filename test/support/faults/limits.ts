/** The times that bounds are made of, in seconds: flags of the program, and one of Slurm's. */
export interface Limits {
  /** `--lost-after`: how long a peer may be silent, or a component stopped. */
  readonly lostAfter: number
  /** `--grace` */
  readonly grace: number
  /** `--rendezvous-timeout` */
  readonly rendezvous: number
  /** How long Slurm waits for a step's processes to end before it kills them, and before srun gives up. */
  readonly killWait: number
}

/** The program's own defaults, and Slurm's. */
export const defaultLimits: Limits = { lostAfter: 20, grace: 20, rendezvous: 300, killWait: 30 }

/** For tests that are to be over soon. */
export const shortLimits: Limits = { lostAfter: 4, grace: 6, rendezvous: 120, killWait: 4 }

/**
 * How long the end may take from the fault on:
 * - `at once`: somebody is told of it by the kernel
 * - `silence`: nobody is; it shows when nothing is heard for long enough
 * - `grace`: the same as `at once`, and the client program takes all of its time
 * - `rendezvous`: somebody is waited for who does not come
 * - `a start`: the whole of a run is still to come
 * - a number: so many seconds
 */
export type Bound = 'at once' | 'silence' | 'grace' | 'rendezvous' | 'a start' | number

/** A bound in seconds. */
export function secondsOf(bound: Bound, { lostAfter, grace, rendezvous }: Limits): number {
  switch (bound) {
    case 'at once':
      return 10
    case 'silence':
      return lostAfter + 15
    case 'grace':
      return grace + 10
    case 'rendezvous':
      return rendezvous + 10
    case 'a start':
      return 25
    default:
      return bound
  }
}

/** How long `srun` may take where a silent host or a stopped task holds it, beyond the bound. In seconds. */
export function lastResortOf({ killWait }: Limits): number {
  return killWait + 10
}

/** The flags that say `limits`, where these are not the defaults. */
export function limitFlags(limits: Limits): string[] {
  const flags = { lostAfter: '--lost-after', grace: '--grace', rendezvous: '--rendezvous-timeout' } as const
  return (Object.keys(flags) as (keyof typeof flags)[]).flatMap((limit) =>
    limits[limit] === defaultLimits[limit] ? [] : [flags[limit], `${limits[limit]}s`],
  )
}
