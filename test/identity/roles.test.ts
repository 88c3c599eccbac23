import { describe, expect, it } from 'vitest'
import { assignRoles, rolesOf, type World } from '../../src/identity/roles.ts'

const exclusive: World = { size: 4, layout: 'exclusive', client: true, scheduler: true }

/** Roles as initials, processes separated by blanks: `s c w w`. */
function shape(changes: Partial<World>): string {
  return assignRoles({ ...exclusive, ...changes })
    .map((roles) => roles.map((role) => role.slice(0, 1)).join(''))
    .join(' ')
}

describe('assignRoles', () => {
  it.each<[string, Partial<World>]>([
    ['s c w w', {}],
    ['s c w', { size: 3 }],
    ['scw w w w', { layout: 'shared' }],
    ['s w w w', { client: false }],
    ['sw w w w', { client: false, layout: 'shared' }],
    ['c w w w', { scheduler: false }],
    ['cw w w w', { scheduler: false, layout: 'shared' }],
    ['w w w w', { scheduler: false, client: false }],
    ['w w w w', { scheduler: false, client: false, layout: 'shared' }],
  ])('gives %s for %o', (expected, changes) => {
    expect(shape(changes)).toBe(expected)
  })

  it.each<[string, Partial<World>]>([
    ['scw', { size: 1 }],
    ['scw w', { size: 2 }],
    ['sw', { size: 1, client: false }],
    ['sw w', { size: 2, client: false }],
    ['cw', { size: 1, scheduler: false }],
    ['cw w', { size: 2, scheduler: false }],
    ['w', { size: 1, scheduler: false, client: false }],
  ])('shares small worlds in either layout: %s for %o', (expected, changes) => {
    expect(shape(changes)).toBe(expected)
    expect(shape({ ...changes, layout: 'shared' })).toBe(expected)
  })

  it('has at most one scheduler and one client, and a worker, in every world', () => {
    for (const layout of ['exclusive', 'shared'] as const)
      for (const client of [true, false])
        for (const scheduler of [true, false])
          for (let size = 1; size <= 9; size++) {
            const all = assignRoles({ size, layout, client, scheduler }).flat()
            expect(all.filter((role) => role === 'scheduler')).toHaveLength(scheduler ? 1 : 0)
            expect(all.filter((role) => role === 'client')).toHaveLength(client ? 1 : 0)
            expect(all).toContain('worker')
          }
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a world of %s', (size) => {
    const world = { ...exclusive, size }
    for (const ask of [assignRoles, (w: World) => rolesOf(0, w)]) {
      expect(() => ask(world)).toThrow(RangeError)
      expect(() => ask(world)).toThrow(`"${size}"`)
    }
  })
})

describe('rolesOf', () => {
  it('agrees with the whole world', () => {
    for (const layout of ['exclusive', 'shared'] as const) {
      const world = { ...exclusive, layout }
      expect([0, 1, 2, 3].map((rank) => rolesOf(rank, world))).toEqual(assignRoles(world))
    }
  })

  it.each([-1, 4, 0.5])('refuses rank %s of 4', (rank) => {
    expect(() => rolesOf(rank, exclusive)).toThrow(new RegExp(`"${rank}".*world of 4`))
  })
})
