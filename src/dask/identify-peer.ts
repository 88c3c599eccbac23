/** Says who is at the other end, by the first bytes that it sent in the place of Dask's handshake. */
export function identifyPeer(heard: Uint8Array): string {
  if (heard.length === 0)
    return 'it closes the connection where Dask would shake hands: not Dask, or one that wants tls://'
  const text = Buffer.from(heard).toString('latin1')
  if (text.startsWith('SSH-')) return 'an SSH server answers there'
  // To what is no request some servers answer with a page alone, as HTTP 0.9 has it.
  if (/^(HTTP\/|\s*<(!DOCTYPE )?html)/i.test(text))
    return 'a web server answers there; Dask has another port for its scheduler than for its dashboard'
  if (heard[0] === 0x15 && heard[1] === 0x03) return 'it wants TLS; write the address as tls://'
  const words = JSON.stringify(text.slice(0, 40).replaceAll(/[^\x20-\x7e]+/g, '.'))
  return `what answers there does not speak Dask's protocol: it begins with ${words}`
}

/** Says of one who keeps the connection open without finishing a handshake how far it came. */
export function describeHalfHandshake(heard: Uint8Array): string {
  if (heard.length > 0) return 'it begins to answer and does not go on'
  return 'it accepts the connection and says nothing (busy, or frozen, or not Dask)'
}
