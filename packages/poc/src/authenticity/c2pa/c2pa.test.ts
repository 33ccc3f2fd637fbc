import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { hashes } from '../../signature/rsa.js'
import { cbor, issue, otherActions, signedJpeg, signedPng } from '../../testing/c2pa-fixture.js'
import { decodeCbor } from './cbor.js'
import { readCertificate } from './certificate.js'
import { encodeSigStructure } from './cose.js'
import { readJumbf } from './jumbf.js'
import { verifyC2pa } from './verify-c2pa.js'

const signing = '1.3.6.1.5.5.7.3.36'
const root = issue({ subject: 'Root', authority: true })
const middle = issue({ subject: 'Middle', by: root, authority: true })
const leaf = issue({ subject: 'Camera', by: root, usage: signing })
const deep = issue({ subject: 'Camera', by: middle, usage: signing })
const roots = [root.certificate.toString('base64')]
const at = 1_790_000_000
const reasons = (bytes: Uint8Array, own = {}): unknown[] => {
  const result = verifyC2pa({ bytes, roots, at, ...own })
  expect(JSON.stringify(result)).not.toContain('canary')
  return [
    result.authentic,
    ...result.checks.filter((one) => one.essential && one.result !== 'pass').map((one) => one.reason),
  ]
}

test('a signed picture is authentic, and what nobody checked is told', () => {
  const result = verifyC2pa({ bytes: signedPng(leaf), roots, at })
  expect(reasons(signedPng(leaf))).toEqual([true])
  expect(result.checks.filter((one) => one.result === 'not-checked').map((one) => one.name)).toEqual([
    'revocation',
    'time-stamp',
    'ingredients',
  ])
  expect(reasons(signedPng(deep, { chain: [deep, middle] }))).toEqual([true])
  expect(reasons(signedPng(deep, { chain: [deep, middle, root] }))).toEqual([true])
})

test.each<[string, Uint8Array, string]>([
  [
    'of changed content',
    signedPng(leaf).map((byte, index, all) => (index === all.length - 20 ? byte ^ 1 : byte)),
    'CONTENT_CHANGED',
  ],
  ['with a changed assertion', signedPng(leaf, { assertion: otherActions }), 'ASSERTION_CHANGED'],
  [
    'that refers to another manifest',
    signedPng(leaf, { url: 'self#jumbf=/c2pa/urn:uuid:other/c2pa.assertions/c2pa.actions' }),
    'ASSERTION_CHANGED',
  ],
  ['without a binding to its content', signedPng(leaf, { binding: 'none' }), 'NO_CONTENT_BINDING'],
  ['with another binding', signedPng(leaf, { binding: 'bmff' }), 'BINDING_NOT_SUPPORTED'],
  [
    'that leaves out two ranges',
    signedPng(leaf, {
      exclusions: [
        { start: 0, length: 1 },
        { start: 5, length: 1 },
      ],
    }),
    'CONTENT_CHANGED',
  ],
  [
    'that leaves out all of itself',
    signedPng(leaf, { exclusions: [{ start: 0, length: 4000 }] }),
    'CONTENT_CHANGED',
  ],
  ['that lists its assertions over and over', signedPng(leaf, { times: 101 }), 'TOO_MANY_ASSERTIONS'],
  ['by another key', signedPng(leaf, { signer: deep.key }), 'SIGNATURE_INVALID'],
  ['by a stranger', signedPng(issue({ subject: 'Camera', usage: signing })), 'UNTRUSTED_CERTIFICATE'],
  [
    'by a leaf that a leaf issued',
    signedPng(issue({ subject: 'X', by: leaf, usage: signing }), {
      chain: [issue({ subject: 'X', by: leaf, usage: signing }), leaf],
    }),
    'UNTRUSTED_CERTIFICATE',
  ],
  ['without the certificate between', signedPng(deep), 'UNTRUSTED_CERTIFICATE'],
  [
    'by a certificate for something else',
    signedPng(issue({ subject: 'Web', by: root, usage: '1.3.6.1.5.5.7.3.1' })),
    'WRONG_CERTIFICATE_USAGE',
  ],
  ['by a certificate for nothing', signedPng(issue({ subject: 'Web', by: root })), 'WRONG_CERTIFICATE_USAGE'],
  [
    'by an authority itself',
    signedPng(issue({ subject: 'Camera', by: root, authority: true, usage: signing })),
    'WRONG_CERTIFICATE_USAGE',
  ],
  [
    'by an expired certificate',
    signedPng(issue({ subject: 'Camera', by: root, usage: signing, until: '260102000000Z' })),
    'EXPIRED',
  ],
  [
    'by a certificate that demands more',
    signedPng(issue({ subject: 'Camera', by: root, usage: signing, critical: '1.2.3.4' })),
    'UNTRUSTED_CERTIFICATE',
  ],
  [
    'with an unknown algorithm',
    signedPng(leaf, {
      header: new Map<number, unknown>([
        [1, -999],
        [33, leaf.certificate],
      ]),
    }),
    'MALFORMED_MANIFEST',
  ],
  [
    'with a critical header',
    signedPng(leaf, {
      header: new Map<number, unknown>([
        [1, -7],
        [2, [99]],
        [33, leaf.certificate],
      ]),
    }),
    'MALFORMED_MANIFEST',
  ],
  [
    'without a certificate',
    signedPng(leaf, { header: new Map<number, unknown>([[1, -7]]) }),
    'MALFORMED_MANIFEST',
  ],
  ['without a manifest', Uint8Array.from(Buffer.from('89504e470d0a1a0a', 'hex')), 'NO_MANIFEST'],
  ['that is none', new Uint8Array(0), 'NO_MANIFEST'],
])('a picture %s is not', (_name, bytes, reason) => {
  expect(reasons(bytes)).toContain(reason)
  expect(reasons(bytes)[0]).toBe(false)
})

describe('what is left out of the hash is the manifest and nothing else', () => {
  // Found by the fifth review: the length was bounded, the place was not.
  const gama = { type: 'gAMA', content: Uint8Array.of(0, 15, 66, 64) }
  const app14 = { type: 'APP14', content: Buffer.from('Adobe\0d\0\0\0\0\0') }
  test.each<[string, Uint8Array, boolean]>([
    ['a PNG with padding', signedPng(leaf, { padding: 100 }), true],
    ['a PNG with gAMA in the room of the padding', signedPng(leaf, { padding: 100, inserted: gama }), false],
    ['the same behind', signedPng(leaf, { padding: 100, inserted: gama, behind: true }), false],
    ['a JPEG with padding', signedJpeg(leaf, { padding: 100 }), true],
    ['a JPEG with APP14 in its room', signedJpeg(leaf, { padding: 100, inserted: app14 }), false],
    ['the same behind it', signedJpeg(leaf, { padding: 100, inserted: app14, behind: true }), false],
  ])('%s', (_, bytes, authentic) => {
    expect(reasons(bytes)).toEqual(authentic ? [true] : [false, 'CONTENT_CHANGED'])
  })
  test('segments of a JPEG with another one between them hold no manifest', () => {
    const jpeg = Buffer.from(signedJpeg(leaf))
    const second = jpeg.indexOf(Buffer.from([0x4a, 0x50, 0, 1, 0, 0, 0, 2])) - 4
    const split = Buffer.concat([
      jpeg.subarray(0, second),
      Buffer.from([0xff, 0xee, 0, 2]),
      jpeg.subarray(second),
    ])
    expect(reasons(Uint8Array.from(split))).toEqual([false, 'NO_MANIFEST'])
  })
})

describe('authorities obey their own constraints (RFC 5280 section 6.1.4)', () => {
  const under = (by: ReturnType<typeof issue>, own = {}) =>
    issue({ subject: 'Camera', by, usage: signing, ...own })
  const of = (...chain: [ReturnType<typeof issue>, ...ReturnType<typeof issue>[]]) => {
    const bytes = signedPng(chain[0], { chain })
    return (anchor = root) => reasons(bytes, { roots: [anchor.certificate.toString('base64')] })
  }
  const zero = issue({ subject: 'Zero', by: root, authority: true, pathLength: 0 })
  const one = issue({ subject: 'One', by: root, authority: true, pathLength: 1 })
  const below = (by: ReturnType<typeof issue>) => issue({ subject: 'Below', by, authority: true })
  test('of the length of a path', () => {
    expect(of(under(zero), zero)()).toEqual([true])
    const [small, large] = [below(zero), below(one)]
    expect(of(under(small), small, zero)()).toEqual([false, 'UNTRUSTED_CERTIFICATE'])
    expect(of(under(large), large, one)()).toEqual([true])
    const strict = issue({ subject: 'Strict', authority: true, pathLength: 0 })
    const child = below(strict)
    expect(of(under(strict))(strict)).toEqual([true])
    expect(of(under(child), child)(strict)).toEqual([false, 'UNTRUSTED_CERTIFICATE'])
    expect(of(under(child), child, strict)(strict)).toEqual([false, 'UNTRUSTED_CERTIFICATE'])
    // The root itself in the chain issued itself and is no step of it.
    expect(of(under(strict), strict)(strict)).toEqual([true])
  })
  test('of what a key is for', () => {
    const signs = issue({ subject: 'M', by: root, authority: true, keyUsage: 0x80 })
    const certifies = issue({ subject: 'M', by: root, authority: true, keyUsage: 0x04 })
    expect(of(under(signs), signs)()).toEqual([false, 'UNTRUSTED_CERTIFICATE'])
    expect(of(under(certifies), certifies)()).toEqual([true])
    expect(of(under(root, { keyUsage: 0x20 }))()).toEqual([false, 'WRONG_CERTIFICATE_USAGE'])
    expect(of(under(root, { keyUsage: 0x80 }))()).toEqual([true])
  })
})

test('a second manifest store, and a box whose label has no end, are none', () => {
  const png = Buffer.from(signedPng(leaf))
  const start = png.indexOf('caBX') - 4
  const chunk = png.subarray(start, start + 12 + png.readUInt32BE(start))
  const twice = Buffer.concat([png.subarray(0, start), chunk, png.subarray(start)])
  expect(reasons(Uint8Array.from(twice))).toEqual([false, 'NO_MANIFEST'])
  const description = Buffer.concat([Buffer.alloc(16), Buffer.from([3]), Buffer.from('c2pa')])
  const box = (type: string, content: Buffer): Buffer => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(content.length + 8)
    head.write(type, 4)
    return Buffer.concat([head, content])
  }
  expect(readJumbf(box('jumb', box('jumd', description)))).toBeUndefined()
  expect(readJumbf(box('jumb', box('jumd', Buffer.concat([description, Buffer.from([0])]))))).toMatchObject({
    label: 'c2pa',
  })
})

test('without a time its certificates are not checked, and before them it is not valid', () => {
  expect(reasons(signedPng(leaf), { at: undefined })).toEqual([false, 'NO_TIME_GIVEN'])
  expect(reasons(signedPng(leaf), { at: 1_700_000_000 })).toEqual([false, 'NOT_YET_VALID'])
})

test('no byte of the manifest or the content can change', () => {
  const bytes = signedPng(leaf)
  const same = (at: number): boolean =>
    reasons(bytes.map((byte, index) => (index === at ? byte ^ 0x10 : byte)))[0] === true
  const harmless: number[] = []
  for (let index = 0; index < bytes.length; index += 3) if (same(index)) harmless.push(index)
  // Checksums of chunks, and identifiers and toggles of boxes that no hash covers and nothing here reads.
  expect(harmless.length).toBeLessThan(bytes.length * 0.04)
})

test('a JPEG holds its manifest in APP11 segments', () => {
  const png = signedPng(leaf, { exclusions: [] })
  const start = Buffer.from(png).indexOf('caBX') + 4
  const length = Buffer.from(png).readUInt32BE(start - 8)
  const store = png.subarray(start, start + length)
  const segment = (sequence: number, part: Uint8Array): Buffer => {
    const head = Buffer.alloc(12)
    head.writeUInt16BE(0xffeb)
    head.writeUInt16BE(part.length + 10, 2)
    head.write('JP', 4)
    head.writeUInt16BE(1, 6)
    head.writeUInt32BE(sequence, 8)
    return Buffer.concat([head, part])
  }
  const cut = 500
  const jpeg = (second: number) =>
    Buffer.concat([
      Buffer.from([0xff, 0xd8]),
      segment(1, store.subarray(0, cut)),
      segment(second, Buffer.concat([store.subarray(0, 8), store.subarray(cut)])),
      Buffer.from([0xff, 0xd9]),
    ])
  // The signature holds; the content is another file's.
  expect(reasons(jpeg(2))).toEqual([false, 'CONTENT_CHANGED'])
  expect(reasons(jpeg(3))).toEqual([false, 'NO_MANIFEST'])
})

test('what signatures cover is written as RFC 9052 has it', () => {
  for (const size of [0, 23, 24, 255, 256, 1000]) {
    const payload = new Uint8Array(size).fill(7)
    expect(Buffer.from(encodeSigStructure(Uint8Array.of(1), payload))).toEqual(
      cbor(['Signature1', Uint8Array.of(1), new Uint8Array(0), payload]),
    )
  }
})

test('any bytes are read or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeCbor(bytes)
      readJumbf(bytes)
      readCertificate(bytes)
      expect(verifyC2pa({ bytes, roots: ['', 'AAAA'] }).authentic).toBe(false)
    }),
  )
})
test.each([
  '9f',
  '5f',
  'a200010002',
  '1c',
  '81'.repeat(40),
  '8401',
  '62ff',
  '7a7fffffff',
  '9affffffff',
  '00ff',
])('%s is no CBOR that is taken', (hex) => {
  expect(decodeCbor(Uint8Array.from(Buffer.from(hex, 'hex')))).toBeUndefined()
})
test('CBOR of more items than any claim has is not taken, and takes no room for what is not there', () => {
  const list = (items: number) => {
    const bytes = new Uint8Array(5 + items)
    bytes.set([0x9a, items >>> 24, (items >>> 16) & 255, (items >>> 8) & 255, items & 255])
    return bytes
  }
  expect(decodeCbor(list(90_000))).toHaveLength(90_000)
  expect(decodeCbor(list(100_000))).toBeUndefined()
  // Lists in lists that each say to be as long as the rest of the file.
  const heads = Array.from({ length: 32 }, () => [0x9a, 0, 0x0f, 0, 0]).flat()
  const bytes = new Uint8Array(1 << 20)
  bytes.set(heads)
  const made = vi.spyOn(Array, 'from')
  expect(decodeCbor(bytes)).toBeUndefined()
  expect(made).not.toHaveBeenCalled()
  made.mockRestore()
})
test('an assertion that is listed often is hashed once', () => {
  const hash = vi.spyOn(hashes, 'sha256')
  reasons(signedPng(leaf))
  const once = hash.mock.calls.length
  reasons(signedPng(leaf, { times: 50 }))
  expect(hash.mock.calls.length - once).toBe(once)
  hash.mockRestore()
})
test('values of CBOR are what RFC 8949 appendix A says', () => {
  for (const [hex, value] of [
    ['1903e8', 1000],
    ['3903e7', -1000],
    ['1b000000e8d4a51000', 1000000000000],
    ['f5', true],
    ['f6', null],
    ['f4', false],
    ['fb3ff199999999999a', 1.1],
    ['6161', 'a'],
    ['1bffffffffffffffff', 18446744073709551615n],
  ] as const) {
    expect(decodeCbor(Uint8Array.from(Buffer.from(hex, 'hex')))).toEqual(value)
  }
})
