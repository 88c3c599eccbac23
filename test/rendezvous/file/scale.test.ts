import { expect, test } from 'vitest'
import { defaults } from '../../../src/defaults.ts'
import { perHost, simulateGates } from '../../support/simulated-gates.ts'

test.each([10, 1_000, 5_600])('%i waiting processes keep to the budget, and notice within the bound', async (size) => {
  const { waiting, peak, last, bound } = await simulateGates(size)
  expect(waiting).toBeGreaterThan(0)
  expect(peak).toBeLessThanOrEqual(defaults.metadataBudget)
  expect(last).toBeGreaterThan(0)
  expect(last).toBeLessThanOrEqual(bound)
})

test('1,000 hosts make 200 operations a second at most while they wait', async () => {
  const { waiting, last } = await simulateGates(1_000 * perHost)
  expect(waiting).toBeLessThanOrEqual(200)
  expect(last).toBeLessThanOrEqual(6_000)
})

test('at any number of hosts the last gate opens within 6 s, and each host looks once in 5 s at most', async () => {
  const hosts = 3_000
  const { mean, shortestRest, last } = await simulateGates(hosts * perHost)
  expect(mean).toBeLessThanOrEqual(hosts / 5)
  expect(shortestRest).toBeGreaterThanOrEqual(5_000)
  expect(last).toBeLessThanOrEqual(6_000)
})
