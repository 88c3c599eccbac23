/** What stands in the files of one side of TLS, PEM. */
export interface TlsMaterial {
  /** Certificates of the authorities that sign both sides. */
  readonly ca: string
  /** Our certificate. */
  readonly cert: string
  /** Our key. */
  readonly key: string
}
