import { createHash } from 'node:crypto'
import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256, sha384 } from './sha2.js'

describe('SHA-2', () => {
  it('gives the examples of FIPS 180-4', () => {
    const abc = new TextEncoder().encode('abc')
    expect(bytesToHex(sha256(abc))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(bytesToHex(sha384(abc))).toBe(
      'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    )
  })

  it('agrees with OpenSSL for every length up to five blocks, and for others', () => {
    const agree = (bytes: Uint8Array) => {
      expect(bytesToHex(sha256(bytes))).toBe(createHash('sha256').update(bytes).digest('hex'))
      expect(bytesToHex(sha384(bytes))).toBe(createHash('sha384').update(bytes).digest('hex'))
    }
    for (let length = 0; length <= 640; length += 1)
      agree(Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff))
    for (const octet of [0x00, 0x80, 0xff]) agree(new Uint8Array(70_000).fill(octet))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), agree), { numRuns: 200 })
  })
})
