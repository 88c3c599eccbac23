import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of the files that one side of TLS needs. */
export interface Certificate {
  readonly caFile: string
  readonly cert: string
  readonly key: string
}

/** Makes an authority in `directory`, and what it signs, with openssl. */
export class Authority {
  readonly #directory: string
  readonly #name: string

  constructor(directory: string, name = 'authority') {
    this.#directory = directory
    this.#name = name
    mkdirSync(directory, { recursive: true })
    const files = ['-keyout', this.#path(`${name}.key`), '-out', this.#path(`${name}.crt`)]
    openssl(['req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, ...files])
  }

  /** A certificate of this authority, for hosts of any name. */
  sign(name: string): Certificate {
    const [request, cert, key] = [`${name}.csr`, `${name}.crt`, `${name}.key`].map((file) => this.#path(file)) as [
      string,
      string,
      string,
    ]
    const [caFile, caKey] = [this.#path(`${this.#name}.crt`), this.#path(`${this.#name}.key`)]
    openssl(['req', ...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', request])
    openssl([
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      request,
      '-CA',
      caFile,
      '-CAkey',
      caKey,
      '-CAcreateserial',
      '-out',
      cert,
    ])
    return { caFile, cert, key }
  }

  /** A file with anything in it. */
  write(name: string, text: string): string {
    writeFileSync(this.#path(name), text)
    return this.#path(name)
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
