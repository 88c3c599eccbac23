import { checkTlsFiles } from '../../security/check-tls.ts'
import type { TlsFiles } from '../../util/tls-files.ts'
import { about, type Finding, foundMessage } from './finding.ts'

const { ok, warning } = about('tls')

/** What was seen of the certificates of a run. */
export interface TlsFacts {
  /** Undefined where no option and no variable names them: Dask's own configuration files may. */
  readonly cert: string | undefined
  readonly warnings: readonly string[]
}

/** Looks at the files of a run that speaks TLS. @throws RunnerError that says which is wrong. */
export async function lookAtTls(files: TlsFiles | undefined): Promise<TlsFacts> {
  if (files === undefined) return { cert: undefined, warnings: [] }
  return { cert: files.cert, warnings: await checkTlsFiles(files, { use: 'both' }) }
}

/** Judges them. */
export function checkTls({ cert, warnings }: TlsFacts): Finding[] {
  if (cert === undefined)
    return [
      warning(
        'no option and no variable names certificates, and a run with --protocol tls fails unless the configuration files of Dask do',
        'name --tls-ca-file, --tls-cert and --tls-key',
      ),
    ]
  if (warnings.length === 0) return [ok(`certificate, key and authority go together: ${cert}`)]
  return warnings.map((text) => foundMessage('warning', 'tls', text))
}
