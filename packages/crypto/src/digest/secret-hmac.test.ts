import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHex } from '../encoding/hex.js'
import { secretHmac } from './secret-hmac.js'

const repeated = (byte: number, count: number) => new Uint8Array(count).fill(byte)
const text = (words: string) => new TextEncoder().encode(words)

describe('an HMAC that leaves no copy of its key', () => {
  // RFC 4231, section 4: the cases whose keys fit into a block.
  it.each([
    [
      repeated(0x0b, 20),
      text('Hi There'),
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    [
      text('Jefe'),
      text('what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      repeated(0xaa, 20),
      repeated(0xdd, 50),
      '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
    ],
    [
      Uint8Array.from({ length: 25 }, (_, at) => at + 1),
      repeated(0xcd, 50),
      '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
    ],
  ])('is that of RFC 4231: case %#', (key, message, mac) => {
    expect(secretHmac(key, message)).toEqual(decodeHex(`0x${mac}`))
  })

  it('is the library’s for every key that fits into a block', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 300 }), (key, message) => {
        expect(secretHmac(key, message)).toEqual(hmac(sha256, key, message))
      }),
    )
  })

  it('does not change its key, and takes none that would have to be hashed', () => {
    const key = repeated(7, 64)
    secretHmac(key, text('a message'))
    expect(key).toEqual(repeated(7, 64))
    expect(() => secretHmac(repeated(7, 65), text('a message'))).toThrow(RangeError)
  })
})
