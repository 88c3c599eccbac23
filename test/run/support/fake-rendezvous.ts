import type { Rendezvous } from '../../../src/rendezvous/rendezvous.ts'
import type { Step } from '../../../src/run/workload-manager.ts'

/** A rendezvous in which nothing can be done but what is given. */
export function fakeRendezvous(parts: Partial<Rendezvous>): Rendezvous {
  const refused = async (): Promise<never> => await Promise.reject(new Error('this is not done here'))
  return {
    replacementMs: 15_000,
    cleanupList: { files: [], directories: [] },
    prepare: async () => Promise.resolve(),
    announce: refused,
    findExisting: refused,
    publish: refused,
    lookUp: refused,
    leaveEarlyExit: refused,
    earlyExits: async () => Promise.resolve([]),
    publishOutcome: refused,
    endAlone: refused,
    withdraw: refused,
    withdrawUnpublished: refused,
    ...parts,
  }
}

/** A step whose hosts all answer. */
export function fakeStep(parts: Partial<Step>): Step {
  return {
    lostWithHost: async () => Promise.resolve([]),
    hostAnswers: async () => Promise.resolve(true),
    someDoubtful: false,
    resumeStep: async () => Promise.resolve(),
    terminateStep: async () => Promise.resolve(),
    cancelStep: async () => Promise.resolve(),
    ...parts,
  }
}
