import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { TlsMaterial } from '../util/tls-files.ts'
import program from './authority-program.ts?program'
import type { CertificateOptions } from './make-certificates.ts'

const day = 86_400_000

/** For whom the clocks of the run's hosts may differ. In milliseconds. */
const slack = day

/** How long the certificates of a run are valid whose end nobody has said. In milliseconds. */
const longest = 365 * day

/**
 * Makes an authority for one run alone, and the certificate of all its parts. Nobody keeps the key of the authority.
 *
 * @param runKey names them
 * @param jobEnd when the run has to be over, where that is known, in milliseconds since 1970
 */
export async function makeRunCertificates(runKey: string, jobEnd: number | undefined): Promise<TlsMaterial> {
  const options: CertificateOptions = {
    // No common name is longer than 64 characters.
    name: `dask-hpc-runner ${runKey}`.slice(0, 48),
    from: Date.now() - slack,
    to: certificateEnd(Date.now(), jobEnd),
  }
  const thread = new Worker(program, { eval: true, workerData: options })
  try {
    const [material] = (await once(thread, 'message')) as [TlsMaterial]
    return material
  } finally {
    void thread.terminate()
  }
}

/** Until when the certificates of a run are valid that begins `now`. */
export function certificateEnd(now: number, jobEnd: number | undefined): number {
  const known = jobEnd !== undefined && jobEnd > now && jobEnd < now + longest
  return known ? Math.max(jobEnd + slack, now + 30 * day) : now + longest
}
