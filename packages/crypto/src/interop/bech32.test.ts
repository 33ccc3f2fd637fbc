import { bech32 } from '@scure/base'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { decodeBech32, encodeBech32 } from './bech32.js'

const prefixes = fc.constantFrom('age', 'age-secret-key-', 'a')

test('writes and reads what @scure/base writes and reads', () => {
  fc.assert(
    fc.property(prefixes, fc.uint8Array({ maxLength: 40 }), (prefix, bytes) => {
      const text = encodeBech32(prefix, bytes)
      expect(text).toBe(bech32.encodeFromBytes(prefix, bytes))
      expect(decodeBech32(prefix, text)).toEqual(bytes)
    }),
  )
})

test('refuses every other text, as @scure/base does', () => {
  const character = fc.constantFrom(...'qpzry9x8gf2tvdw0s3jn54khce6mua7l1bioQ é')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 34 }), fc.nat(), character, (bytes, at, other) => {
      const text = encodeBech32('age', bytes)
      const changed = text.slice(0, at % text.length) + other + text.slice((at % text.length) + 1)
      fc.pre(changed !== text)
      expect(decodeBech32('age', changed)).toBeUndefined()
      expect(() => {
        const { prefix } = bech32.decodeToBytes(changed)
        if (prefix !== 'age') throw new Error('another prefix')
      }).toThrow()
    }),
  )
})

// The checksum is right; the unused bits of the last group are not zero, so these are not the one text of the bytes.
test.each([
  '',
  'age',
  'age1',
  'age1qqqqqq',
  'AGE1',
  bech32.encode('age', [0, 1]),
  bech32.encode('age', [0, 0, 0]),
])('refuses %j', (text) => {
  expect(decodeBech32('age', text)).toBeUndefined()
})

test('standard base64 does not take the characters of the other alphabet', () => {
  const bytes = new Uint8Array([0xfb, 0xff, 0xbf])
  expect(encodeBase64(bytes)).toBe('+/+/')
  expect(decodeBase64('+/+/')).toEqual(bytes)
  for (const text of ['-/+/', '+_+/', '+/+/=', '+/+/+']) {
    expect(() => decodeBase64(text)).toThrow(expect.objectContaining({ code: 'ENCODING_INVALID' }))
  }
})
