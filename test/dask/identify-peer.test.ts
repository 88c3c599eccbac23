import { describe, expect, it } from 'vitest'
import { describeHalfHandshake, identifyPeer } from '../../src/dask/identify-peer.ts'

describe('identifyPeer', () => {
  it.for([
    ['', 'it closes the connection where Dask would shake hands: not Dask, or one that wants tls://'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'an SSH server answers there'],
    [
      'HTTP/1.1 400 Bad Request\r\n',
      'a web server answers there; Dask has another port for its scheduler than for its dashboard',
    ],
    [
      '<!DOCTYPE HTML>\n<html lang="en">\n',
      'a web server answers there; Dask has another port for its scheduler than for its dashboard',
    ],
    ['\x15\x03\x01\0\x02\x02\x46', 'it wants TLS; write the address as tls://'],
    [
      '220 mail "x"\r\n\x1b[31m',
      `what answers there does not speak Dask's protocol: it begins with "220 mail \\"x\\".[31m"`,
    ],
  ] as const)('knows who says %j', ([heard, who]) => {
    expect(identifyPeer(Buffer.from(heard, 'latin1'))).toBe(who)
  })
})

describe('describeHalfHandshake', () => {
  it('tells a peer that has begun from one that has not', () => {
    expect(describeHalfHandshake(Buffer.from('S'))).toMatch(/begins to answer/)
    expect(describeHalfHandshake(new Uint8Array())).toMatch(/says nothing/)
  })
})
