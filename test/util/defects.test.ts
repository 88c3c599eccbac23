import { afterEach, beforeEach, expect, it, vi } from 'vitest'

beforeEach(() => {
  // A process ends by one defect only.
  vi.resetModules()
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => vi.restoreAllMocks())

it('tells of a defect in every run of this process, whichever began last and whichever cannot be told', async () => {
  const { endByDefect, tellDefectsBy } = await import('../../src/util/defects.ts')
  const exits = new Promise((resolve) => {
    vi.spyOn(process, 'exit').mockImplementation(resolve as never)
  })
  const [first, closed, broken, last] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()]
  const disposables = [first, closed, broken, last].map((tell) => tellDefectsBy(tell))
  broken.mockRejectedValue(new Error('its connection is gone'))
  disposables[1]?.[Symbol.dispose]()
  const error = new Error('a defect')
  endByDefect(error)
  expect(await exits).toBe(70)
  expect([first, closed, broken, last].map(({ mock }) => mock.calls)).toEqual([[[error]], [], [[error]], [[error]]])
})
