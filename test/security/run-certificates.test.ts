import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { certificateEnd, makeRunCertificates } from '../../src/security/run-certificates.ts'
import { tryHandshake } from '../../src/security/try-handshake.ts'

const day = 86_400_000

describe('the certificates of a run', () => {
  it('serve both ends, from a day ago, with a name that the run tells, and of an authority of their own', async () => {
    const [one, another] = [
      await makeRunCertificates('slurm-7.0-r0', undefined),
      await makeRunCertificates('x'.repeat(200), 0),
    ]
    await tryHandshake(one)
    await tryHandshake(another)
    await expect(tryHandshake({ ...one, ca: another.ca })).rejects.toThrow()
    const certificate = new X509Certificate(one.cert)
    expect(certificate.subject).toBe('CN=dask-hpc-runner slurm-7.0-r0 (a part of it)')
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now() - day + 60_000)
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
  })

  it('outlive the job by a day, where its end is known, and are valid for a month at least', () => {
    expect(certificateEnd(0, 90 * day)).toBe(91 * day)
    expect(certificateEnd(0, day)).toBe(30 * day)
    expect(certificateEnd(0, undefined)).toBe(365 * day)
    // The end of time, of a job without a limit.
    expect(certificateEnd(0, 4_294_967_294_000)).toBe(365 * day)
  })
})
