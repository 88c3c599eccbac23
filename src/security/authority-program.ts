// Runs in a thread of its own, which is made only where a run makes certificates: what it takes to make some is loaded
// nowhere else.
import { parentPort, workerData } from 'node:worker_threads'
import { type CertificateOptions, makeCertificates } from './make-certificates.ts'

void makeCertificates(workerData as CertificateOptions).then((material) => {
  parentPort?.postMessage(material)
})
