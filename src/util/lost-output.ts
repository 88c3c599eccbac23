let isIgnored = false

/**
 * From now on output that cannot be written, on a full disk or into a closed pipe, ends nothing. Not
 * done before there is something to write, because making the streams is a good part of a start.
 */
export function ignoreLostOutput(): void {
  if (isIgnored) return
  isIgnored = true
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}
