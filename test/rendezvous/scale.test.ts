import { expect, test } from 'vitest'
import { defaults } from '../../src/defaults.ts'
import { simulateGates } from '../support/simulated-gates.ts'

test.each([10, 1_000, 10_000])('%i waiting processes keep to the budget, and notice within the bound', async (size) => {
  const { peak, mean, last, bound } = await simulateGates(size)
  expect(mean).toBeGreaterThan(0)
  expect(peak).toBeLessThanOrEqual(defaults.metadataBudget)
  expect(last).toBeGreaterThan(0)
  expect(last).toBeLessThanOrEqual(bound)
})
