import { expect, test } from 'vitest'
import { RegistrationPace } from '../../src/components/registration-pace.ts'

const isHere = (address: string): boolean => address.startsWith('tcp://10.0.0.1:')

test('the scheduler is asked at once for a worker that is new on this host', () => {
  const pace = new RegistrationPace(isHere, () => 0)
  expect(pace.isDue([])).toBe(false)
  expect(pace.isDue(['tcp://10.0.0.1:1'])).toBe(true)
  expect(pace.isDue(['tcp://10.0.0.1:1'])).toBe(false)
  expect(pace.isDue(['tcp://10.0.0.1:1', 'tcp://10.0.0.1:2'])).toBe(true)
  // It has gone, and comes back at the same address.
  expect(pace.isDue(['tcp://10.0.0.1:1'])).toBe(false)
  expect(pace.isDue(['tcp://10.0.0.1:1', 'tcp://10.0.0.1:2'])).toBe(true)
})

test('where workers of 999 other hosts come one after the other it is asked a few times, and once they all have come', () => {
  let now = 0
  const pace = new RegistrationPace(isHere, () => now)
  const addresses: string[] = []
  let asked = 0
  for (let host = 2; host <= 1000; host++) {
    now += 100
    addresses.push(`tcp://10.0.0.${host}:1`)
    if (pace.isDue(addresses)) asked++
  }
  // After 0, 1, 2, 4, 8, 16 and 32 s more, of 100 s.
  expect(asked).toBe(7)
  now += 60_000
  expect(pace.isDue(addresses)).toBe(true)
  expect(pace.isDue(addresses)).toBe(false)
})
