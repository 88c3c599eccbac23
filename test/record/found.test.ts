import { expect, test } from 'vitest'
import { parseFound, samples } from '../../src/record/found.ts'

test('what is rehearsed is what may be found', () => {
  expect(samples().map((sample) => parseFound(sample)?.kind)).toEqual(['gatherer', 'cluster'])
})
