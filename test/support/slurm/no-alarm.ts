import { expect } from 'vitest'
import { alarmIn } from '../alarm.ts'

/** Checks that a run alarmed nobody; what Slurm itself has to say of its end does not count. */
export function expectNoAlarm(output: string): void {
  const lines = output.split('\n').filter((line) => !/^(srun|salloc|slurmstepd-\w+): /.test(line))
  expect(alarmIn(lines.join('\n')), output).toBeUndefined()
}
