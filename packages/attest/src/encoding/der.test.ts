import { hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { maximumDerDepth, parseDer } from './der.js'
import { derTime } from './der-time.js'
import { ecdsaSignature } from './ecdsa-signature.js'
import { objectIdentifier } from './object-identifier.js'
import { sameBytes } from './same-bytes.js'

const code = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}
const parse = (hex: string) => code(() => parseDer(hexToBytes(hex.replaceAll(' ', ''))))

describe('parseDer', () => {
  it('reads nested elements as views on the input', () => {
    const bytes = hexToBytes('30080201050403010203')
    const node = parseDer(bytes)
    expect(node.children.map(({ tag, content }) => [tag, [...content]])).toEqual([
      [2, [5]],
      [4, [1, 2, 3]],
    ])
    expect(node.children[1]?.raw.buffer).toBe(bytes.buffer)
  })

  // X.690 8.1.3, 10.1 (lengths), 8.2/11.1 (BOOLEAN), 8.3 (INTEGER), 8.6/11.2 (BIT STRING), 8.8 (NULL), 11.6 (SET OF)
  it.each([
    ['nothing', ''],
    ['a tag without length', '02'],
    ['content that is cut off', '0202 01'],
    ['bytes after the element', '0500 00'],
    ['indefinite length', '3080 0000'],
    ['a long form that is not needed', '0281 01 05'],
    ['a long form with a leading zero', '04 82 0080' + '00'.repeat(128)],
    ['a length of five octets', '04 85 0000000001 00'],
    ['a multi-byte tag', '1f 81 01 00'],
    ['a multi-byte tag that could be read as a short one', '1f 01 00'],
    ['a child longer than its parent', '3003 0202 01'],
    ['BOOLEAN 01', '0101 01'],
    ['BOOLEAN of two octets', '0102 ffff'],
    ['an empty INTEGER', '0200'],
    ['a padded positive INTEGER', '0202 007f'],
    ['a padded negative INTEGER', '0202 ff80'],
    ['an empty BIT STRING', '0300'],
    ['a BIT STRING with unused bits set', '0302 01 01'],
    ['a BIT STRING with eight unused bits', '0302 08 00'],
    ['a BIT STRING of nothing with unused bits', '0301 01'],
    ['a NULL with content', '0501 00'],
    ['an empty OBJECT IDENTIFIER', '0600'],
    ['a padded OBJECT IDENTIFIER', '0602 8001'],
    ['a truncated OBJECT IDENTIFIER', '0601 81'],
    ['an unsorted SET OF', '3106 020102 020101'],
    ['a constructed OCTET STRING', '2403 040101'],
    ['a primitive SEQUENCE', '1000'],
  ])('refuses %s', (_, hex) => {
    expect(parse(hex)).toBe('BAD_DER')
  })

  it.each([
    ['BOOLEAN FF', '0101 ff'],
    ['INTEGER 128', '0202 0080'],
    ['INTEGER -128', '0201 80'],
    ['a length of 128', '04 8180' + '00'.repeat(128)],
    ['a sorted SET OF', '3106 020101 020102'],
    ['an empty SEQUENCE', '3000'],
  ])('accepts %s', (_, hex) => {
    expect(parse(hex)).toBe('ok')
  })

  it('bounds depth', () => {
    const nested = (depth: number): Uint8Array => {
      let bytes = Uint8Array.of(0x30, 0)
      for (let i = 0; i < depth; i += 1) bytes = Uint8Array.of(0x30, bytes.length, ...bytes)
      return bytes
    }
    expect(code(() => parseDer(nested(maximumDerDepth)))).toBe('ok')
    expect(code(() => parseDer(nested(maximumDerDepth + 1)))).toBe('BAD_DER')
  })

  it('bounds the number of elements', () => {
    const many = new Uint8Array(2 * 200_001 + 5)
    many.set([0x30, 0x83, 0x06, 0x1a, 0x82])
    for (let i = 5; i < many.length; i += 2) many[i] = 0x05
    expect(code(() => parseDer(many))).toBe('BAD_DER')
  })

  it('is total: any bytes give a tree or BAD_DER, and a tree covers exactly the input', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          expect(parseDer(bytes).raw.length).toBe(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(AttestError)
          expect((error as AttestError).code).toBe('BAD_DER')
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('objectIdentifier', () => {
  it.each([
    ['2a8648ce3d040302', '1.2.840.10045.4.3.2'],
    ['2a864886f84d010d01', '1.2.840.113741.1.13.1'],
    ['550403', '2.5.4.3'],
    ['883703', '2.999.3'],
    ['00', '0.0'],
  ])('reads %s as %s', (hex, dotted) => {
    expect(objectIdentifier(hexToBytes(hex))).toBe(dotted)
  })

  it('refuses arcs beyond 2^53, which would be read as others', () => {
    expect(objectIdentifier(hexToBytes('2a8fffffffffffff7f'))).toBe(`1.2.${2 ** 53 - 1}`)
    expect(code(() => objectIdentifier(hexToBytes('2a9080808080808000')))).toBe('BAD_DER')
    expect(code(() => objectIdentifier(hexToBytes(`2a81${'80'.repeat(20)}00`)))).toBe('BAD_DER')
  })
})

describe('sameBytes', () => {
  it('tells an array from its beginning', () => {
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
    expect(sameBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false)
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false)
    expect(sameBytes(new Uint8Array(), Uint8Array.of(1))).toBe(false)
    expect(sameBytes(Uint8Array.of(1, 3), Uint8Array.of(1, 2))).toBe(false)
  })
})

describe('derTime', () => {
  const time = (tag: string, text: string) => {
    const bytes = new TextEncoder().encode(text)
    const node = parseDer(Uint8Array.of(Number(tag), bytes.length, ...bytes))
    return new Date(derTime(node) * 1000).toISOString()
  }
  it('reads UTCTime with the RFC 5280 century and GeneralizedTime after 2049', () => {
    expect(time('0x17', '491231235959Z')).toBe('2049-12-31T23:59:59.000Z')
    expect(time('0x17', '500101000000Z')).toBe('1950-01-01T00:00:00.000Z')
    expect(time('0x18', '20500101000000Z')).toBe('2050-01-01T00:00:00.000Z')
  })
  it.each([
    ['0x17', '260231000000Z'],
    ['0x17', '2602010000Z'],
    ['0x17', '260201000000+0100'],
    ['0x17', '260201250000Z'],
    ['0x18', '20260201000000Z'],
    ['0x18', '20500101000000.5Z'],
    ['0x13', '260201000000Z'],
    ['0x17', '260201000000'],
    ['0x17', '260201000000ZZ'],
    ['0x17', '260200000000Z'],
    ['0x17', '260001000000Z'],
    ['0x17', '261301000000Z'],
    ['0x17', '260201006000Z'],
    ['0x17', '260201000060Z'],
    ['0x17', '2602010000 1Z'],
    ['0x17', '26020100001 Z'],
    ['0x17', '26020100000:Z'],
    ['0x17', '2602010000:0Z'],
    ['0x18', '00990101000000Z'],
    ['0x18', '00000101000000Z'],
  ])('refuses %s %s', (tag, text) => {
    expect(code(() => time(tag, text))).toBe('BAD_DER')
  })
})

describe('ecdsaSignature', () => {
  it('pads r and s to 32 bytes', () => {
    expect([...ecdsaSignature(hexToBytes('3006020101020102'), 32)].filter((octet) => octet !== 0)).toEqual([
      1, 2,
    ])
  })
  it.each([
    '3003020101',
    '3000',
    '3106020101020102',
    '3005020101 0500'.replace(' ', ''),
    '3009020101020102020103',
    '30060201ff020102',
    '3006020100020102',
    '3006040101020102',
  ])('refuses %s', (hex) => {
    expect(code(() => ecdsaSignature(hexToBytes(hex), 32))).toBe('BAD_DER')
  })
  it('refuses integers beyond 256 bits', () => {
    expect(code(() => ecdsaSignature(hexToBytes(`3026022101${'00'.repeat(32)}020101`), 32))).toBe('BAD_DER')
  })
})
