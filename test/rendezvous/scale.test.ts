import { expect, test } from 'vitest'
import { defaults } from '../../src/defaults.ts'
import { perHost, simulateGates } from '../support/simulated-gates.ts'

test.each([10, 1_000, 10_000])('%i waiting processes keep to the budget, and notice within the bound', async (size) => {
  const { peak, mean, last, bound } = await simulateGates(size)
  expect(mean).toBeGreaterThan(0)
  expect(peak).toBeLessThanOrEqual(defaults.metadataBudget)
  expect(last).toBeGreaterThan(0)
  expect(last).toBeLessThanOrEqual(bound)
})

test('within the budget nobody listens, and no host is told', async () => {
  const { atStart, told } = await simulateGates(1_000, { lost: 0, unreachable: 0 })
  expect(atStart).toBe(Math.ceil(1_000 / perHost))
  expect(told).toBe(0)
})

test('beyond the budget hosts are told long before they would look, within the budget', async () => {
  const { peak, last, told, bound } = await simulateGates(10_000, { lost: 0.01, unreachable: 0 })
  expect(peak).toBeLessThanOrEqual(defaults.metadataBudget)
  // Some have looked before their turn.
  expect(told).toBeGreaterThan((10_000 / perHost) * 0.5)
  expect(last).toBeLessThan(bound / 2)
})

test('hosts that cannot be told look, within the bound', async () => {
  const { peak, last, told, bound } = await simulateGates(10_000, { lost: 0.5, unreachable: 0.2 })
  expect(peak).toBeLessThanOrEqual(defaults.metadataBudget)
  expect(told).toBeGreaterThan(0)
  expect(told).toBeLessThan((10_000 / perHost) * 0.85)
  expect(last).toBeGreaterThan(bound / 2)
  expect(last).toBeLessThanOrEqual(bound)
})
