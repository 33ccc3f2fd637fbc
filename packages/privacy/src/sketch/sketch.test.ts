import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contributorPseudonym } from './contributor-pseudonym.js'
import { createKeyedFingerprint, keyedFingerprint } from './keyed-fingerprint.js'

type Domain = Parameters<typeof createKeyedFingerprint>[0]

const key = new Uint8Array(32).fill(1)
const other = new Uint8Array(32).fill(2)

describe('keyed fingerprint', () => {
  test("is Node's own HMAC over the documented encoding", () => {
    const part = (text: string) => {
      const length = Buffer.alloc(8)
      length.writeBigUInt64BE(BigInt(Buffer.byteLength(text)))
      return Buffer.concat([length, Buffer.from(text)])
    }
    const expected = createHmac('sha256', key)
      .update(part('sealpool/fingerprint/1'))
      .update(part('content'))
      .update(part('h\u00e9llo'))
      .digest('hex')
    expect(keyedFingerprint({ key, domain: 'content', data: 'h\u00e9llo' })).toBe(expected)
  })
  test('text and its bytes are one thing; key and domain tell apart', () => {
    const data = 'x'
    const print = keyedFingerprint({ key, domain: 'a', data })
    expect(keyedFingerprint({ key, domain: 'a', data: Uint8Array.of(120) })).toBe(print)
    expect(keyedFingerprint({ key: other, domain: 'a', data })).not.toBe(print)
    expect(keyedFingerprint({ key, domain: 'b', data })).not.toBe(print)
  })
  test('moving the border between domain and data changes it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3 }), fc.nat(), (text, cut) => {
        const at = 1 + (cut % (text.length - 2))
        const print = (end: number) =>
          keyedFingerprint({ key, domain: text.slice(0, end), data: text.slice(end) })
        expect(print(at)).not.toBe(print(at + 1))
      }),
    )
  })
  test('of one domain, made once, is the same for every content, in whatever order', () => {
    const printOf = createKeyedFingerprint({ key, domain: 'a' })
    const data = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }))
    fc.assert(
      fc.property(fc.array(data), (contents) => {
        expect(contents.map(printOf)).toEqual(
          contents.map((content) => keyedFingerprint({ key, domain: 'a', data: content })),
        )
      }),
    )
  })
  test.each([
    ['keyedFingerprint', (domain: Domain) => keyedFingerprint({ ...domain, data: '' })],
    ['createKeyedFingerprint', createKeyedFingerprint],
  ])('%s refuses a short key and an empty domain', (_, made: (domain: Domain) => unknown) => {
    expect(() => made({ key: key.subarray(1), domain: 'a' })).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place: 'key' }),
    )
    expect(() => made({ key, domain: '' })).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place: 'domain' }),
    )
  })
})

describe('contributor pseudonym', () => {
  const address = '0xAbCdEf0123456789aBcDeF0123456789abcdef01'
  test('is the same for one wallet in either case and differs per key', () => {
    expect(contributorPseudonym({ key, address })).toBe(
      contributorPseudonym({ key, address: address.toLowerCase() }),
    )
    expect(contributorPseudonym({ key: other, address })).not.toBe(contributorPseudonym({ key, address }))
    expect(contributorPseudonym({ key, address })).not.toContain(address.slice(2, 10).toLowerCase())
  })
  test.each(['', '0x12', `0x${'g'.repeat(40)}`, 'abcdef0123456789abcdef0123456789abcdef0123'])(
    'refuses %s',
    (bad) => {
      expect(() => contributorPseudonym({ key, address: bad })).toThrow(
        expect.objectContaining({ place: 'address' }),
      )
    },
  )
})
