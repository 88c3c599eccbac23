import { expect } from 'vitest'

/** Checks that a run alarmed nobody; what Slurm itself has to say of its end does not count. */
export function expectNoAlarm(output: string): void {
  const lines = output.split('\n').filter((line) => !/^(srun|salloc|slurmstepd-\w+): /.test(line))
  expect(lines.join('\n')).not.toMatch(/Traceback|Error|error:|WARNING|CRITICAL|warn:|never retrieved|was destroyed/)
}
