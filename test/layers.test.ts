import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

interface Rule {
  readonly name: string
  readonly comment?: string
}

const root = join(import.meta.dirname, '..')

it('the map of the layers in CONTRIBUTING.md is the list that is enforced', async () => {
  const { default: config } = (await import(join(root, '.dependency-cruiser.mjs'))) as {
    readonly default: { readonly forbidden: readonly Rule[] }
  }
  const enforced = config.forbidden.flatMap(({ name, comment = '' }) => {
    const [, layer, mayImport = ''] = /^src\/(\w+)\/ imports only itself, (.*)$/.exec(comment) ?? []
    return name === `layer-${layer ?? ''}`
      ? [[layer, mayImport.split(', ').filter((other) => other !== 'the base')]]
      : []
  })
  const [, section = ''] = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').split('\n## Layers\n')
  const [table = ''] = section.split('\n## ')
  const map = table.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|.*\| ([^|]*) \|$/gm)
  const told = [...map].flatMap(([, layers = '', mayImport = '']) =>
    [...layers.matchAll(/\w+/g)].map(([layer]) => [
      layer,
      mayImport.split(', ').filter((other) => other !== 'the base only'),
    ]),
  )
  const sorted = (list: unknown[][]): unknown =>
    Object.fromEntries(list.map(([layer, others]) => [layer, (others as string[]).toSorted()]))
  expect(enforced.length).toBeGreaterThan(10)
  expect(sorted(told.filter(([layer]) => enforced.some(([other]) => other === layer)))).toEqual(sorted(enforced))
})
