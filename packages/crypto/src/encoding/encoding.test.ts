import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bytesToDigest,
  digestToBytes,
  digestToHex,
  hexToDigest,
  parseDigest,
  sha256Digest,
} from '../digest/digest.js'
import { parseAddress } from './address.js'
import { decodeBase64Url, encodeBase64Url } from './base64url.js'
import { bigEndian, concatBytes, drawRandom, equalBytes, unshared } from './bytes.js'
import { decodeHex, encodeHex } from './hex.js'

const text = (value: string) => new TextEncoder().encode(value)

describe('base64url', () => {
  // RFC 4648 section 10, without padding.
  test.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('writes and reads %j as %s', (plain, encoded) => {
    expect(encodeBase64Url(text(plain))).toBe(encoded)
    expect(decodeBase64Url(encoded)).toEqual(text(plain))
  })

  test.each([
    ['padding', 'Zg=='],
    ['the other alphabet', '+/+/'],
    ['white space', 'Zm9v\n'],
    ['an impossible length', 'Zm9vY'],
    ['unused bits after one byte', 'Zh'],
    ['unused bits after two bytes', 'Zm9'],
    ['a character beyond ASCII', 'Zm9\u0176'],
  ])('refuses %s', (_name, encoded) => {
    expect(() => decodeBase64Url(encoded)).toThrow(expect.objectContaining({ code: 'ENCODING_INVALID' }))
  })

  test('agrees with the platform and reads back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(encodeBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
        expect(decodeBase64Url(encodeBase64Url(bytes))).toEqual(bytes)
      }),
    )
  })

  test('accepts exactly one text for each byte string', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ABZaz09-_'), maxLength: 12 }), (encoded) => {
        let bytes: Uint8Array | undefined
        try {
          bytes = decodeBase64Url(encoded)
        } catch {
          bytes = undefined
        }
        if (bytes !== undefined) expect(encodeBase64Url(bytes)).toBe(encoded)
        else expect(Buffer.from(encoded, 'base64url').toString('base64url')).not.toBe(encoded)
      }),
    )
  })
})

describe('hex', () => {
  test('reads back in both cases', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const hex = encodeHex(bytes)
        expect(hex).toBe(`0x${Buffer.from(bytes).toString('hex')}`)
        expect(decodeHex(hex)).toEqual(bytes)
        expect(decodeHex(`0x${hex.slice(2).toUpperCase()}`)).toEqual(bytes)
      }),
    )
  })

  test.each(['', '00', '0x0', '0xg0', '0X00', '0x00 ', '0x00\n'])('refuses %j', (value) => {
    expect(() => decodeHex(value)).toThrow(expect.objectContaining({ code: 'ENCODING_INVALID' }))
  })
})

describe('digest', () => {
  // FIPS 180-4 example: SHA-256 of "abc".
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  test('writes the published digest of abc', () => {
    expect(sha256Digest(text('abc'))).toBe(`sha256:${abc}`)
  })
  test('passes to bytes32 and bytes and back', () => {
    expect(digestToHex(`sha256:${abc}`)).toBe(`0x${abc}`)
    expect(hexToDigest(`0x${abc.toUpperCase()}`)).toBe(`sha256:${abc}`)
    expect(bytesToDigest(digestToBytes(`sha256:${abc}`))).toBe(`sha256:${abc}`)
  })
  test.each([
    undefined,
    '',
    'sha256:',
    `sha256:${abc.toUpperCase()}`,
    `sha512:${abc}`,
    `sha256:${abc}0`,
    `${abc}\n`,
  ])('refuses %j', (value) => {
    expect(() => parseDigest(value)).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }))
  })
  test('refuses hex of another length or without prefix', () => {
    expect(() => hexToDigest('0x00')).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }))
    expect(() => hexToDigest(abc as `0x${string}`)).toThrow(
      expect.objectContaining({ code: 'DIGEST_INVALID' }),
    )
  })
})

describe('bytes', () => {
  test('joins, compares and writes big-endian', () => {
    expect(concatBytes(text('a'), new Uint8Array(), text('bc'))).toEqual(text('abc'))
    expect(() => concatBytes(text('a'), 'bc' as unknown as Uint8Array)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
    expect(equalBytes(text('ab'), text('ab'))).toBe(true)
    expect(equalBytes(text('ab'), text('ac'))).toBe(false)
    expect(equalBytes(text('ab'), text('abc'))).toBe(false)
    expect(bigEndian(2 ** 40 + 3, 8)).toEqual(new Uint8Array([0, 0, 1, 0, 0, 0, 0, 3]))
  })
  test('copies shared memory for WebCrypto and nothing else', () => {
    const own = new Uint8Array([1, 2])
    expect(unshared(own)).toBe(own)
    const shared = new Uint8Array(new SharedArrayBuffer(2))
    shared.set([1, 2])
    expect(unshared(shared)).toEqual(own)
    expect(unshared(shared).buffer).toBeInstanceOf(ArrayBuffer)
  })
  test('copies what a source of randomness gives, which may keep its buffer', () => {
    const kept = Buffer.alloc(32, 7)
    const drawn = drawRandom(() => kept, 32)
    kept.fill(0)
    expect(drawn).toEqual(new Uint8Array(32).fill(7))
  })
  test('refuses a source of randomness that gives too little', () => {
    expect(() => drawRandom(() => new Uint8Array(31), 32)).toThrow(
      expect.objectContaining({ code: 'RANDOM_INVALID' }),
    )
  })
})

test('parseAddress lowers the case and refuses other lengths', () => {
  expect(parseAddress('0x52908400098527886E0F7030069857D2E4169EE7')).toBe(
    '0x52908400098527886e0f7030069857d2e4169ee7',
  )
  for (const bad of ['0x', `0x${'0'.repeat(39)}`, `0x${'0'.repeat(41)}`, 5, null, `0x${'0'.repeat(40)}\n`]) {
    expect(() => parseAddress(bad)).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }))
  }
})
