import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { nativeSignatures } from '../platform.js'
import { cborBytes, cborInteger, cborList, cborMap, cborNull, cborText } from '../testing/cbor-writer.js'
import { checkTable, own } from '../testing/check-table.js'
import { at } from '../testing/fixture.js'
import {
  type NitroDefects,
  nitroChain,
  nitroDocument,
  nitroNonce,
  nitroRegister,
  nitroRegisters,
  nitroSimulatorRoot,
} from '../testing/nitro-fixture.js'
import { remembersByContent } from '../testing/remembers-by-content.js'
import { verifyNitroDocument as publicVerifier } from '../with-platform.js'
import { nitroCheckTitles, nitroRootDigest, verifyNitroDocument } from './verify.js'

// Documents made here under a simulated root, which the verifier's own tests pin in the place of AWS's: every check passes, and fails,
// without a document of AWS at hand.

const native = nativeSignatures()
const asking = {
  at,
  nonce: nitroNonce,
  ...(native === undefined ? {} : { verifySignature: remembersByContent(native) }),
}
const judge = (defects: NitroDefects = {}, change: object = {}) =>
  verifyNitroDocument(nitroDocument(defects), { ...asking, ...change }, nitroSimulatorRoot)
const ask = (defects: NitroDefects = {}, change: object = {}) => judge(defects, change).checks
const failed = (verdict: ReturnType<typeof judge>) =>
  verdict.checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
const later = (seconds: number) => ({ at: new Date(at.getTime() + seconds * 1000) })
const silent = [0, 1, 2].map((index) => [cborInteger(index), nitroRegister(0)] as const)

checkTable('verifyNitroDocument', {
  titles: nitroCheckTitles,
  good: () => ask(),
  rows: {
    'root-trusted': {
      fail: () => publicVerifier(nitroDocument(), asking).checks,
      notChecked: own,
    },
    chain: { fail: () => ask({ strangerSigns: true }), notChecked: own },
    'certificate-dates': {
      fail: () => ask({ leaf: { notAfter: at.getTime() / 1000 - 1 } }),
      notChecked: own,
    },
    signature: {
      fail: () => ask({ strangerSignsDocument: true }),
      notChecked: () => ask({ strangerSigns: true }),
    },
    fresh: { fail: () => ask({}, later(301)), notChecked: own },
    nonce: {
      fail: () => ask({}, { nonce: Uint8Array.of(7) }),
      notChecked: () => ask({}, { nonce: undefined }),
    },
    debug: { fail: () => ask({ pcrs: silent }), notChecked: own },
  },
})

describe('a Nitro document', () => {
  it('is ok, and says what it says', () => {
    const { ok, claims, at: asked } = judge()
    const register = (fill: number) => `0x${fill.toString(16).padStart(2, '0').repeat(48)}`
    expect([ok, asked]).toEqual([true, at.toISOString()])
    expect(claims).toEqual({
      moduleId: 'i-1-enc2',
      timestamp: at.toISOString(),
      pcrs: { 0: register(1), 1: register(2), 2: register(3), 3: register(4), 4: register(5) },
      debug: false,
      publicKey: '0x0102',
      userData: null,
      nonce: `0x${'07'.repeat(20)}`,
    })
  })

  it('may stand behind its tag, and be a map of definite length', () => {
    for (const defects of [{ tag: true }, { definite: true }]) expect(judge(defects).ok).toBe(true)
  })

  it('of a root that is not AWS’s is never ok outside these tests', () => {
    const verdict = publicVerifier(nitroDocument(), asking)
    expect([verdict.ok, failed(verdict)]).toEqual([false, ['root-trusted']])
    expect(nitroRootDigest).not.toBe(nitroSimulatorRoot)
    expect(verifyNitroDocument.length).toBe(2)
    // A further argument reaches nothing through the public face.
    const loose = publicVerifier as (...given: unknown[]) => ReturnType<typeof judge>
    expect(failed(loose(nitroDocument(), asking, nitroSimulatorRoot))).toEqual(['root-trusted'])
  })

  it('has one verdict with portable code and with the platform’s', () => {
    for (const defects of [
      {},
      { strangerSigns: true },
      { strangerSignsDocument: true },
      { curve: 'p256' } as const,
    ]) {
      const portable = verifyNitroDocument(
        nitroDocument(defects),
        { at, nonce: nitroNonce },
        nitroSimulatorRoot,
      )
      expect(judge(defects)).toEqual(portable)
    }
  })

  it('is signed with P-384 from the root to the document: the header says ES384, and so does the chain', () => {
    expect(failed(judge({ curve: 'p256' }))).toContain('chain')
  })

  it.each<[string, NitroDefects]>([
    ['another context', { context: 'Signature' }],
    ['the key of another', { strangerSignsDocument: true }],
  ])('fails a signature over %s', (_, defects) => {
    expect(failed(judge(defects))).toEqual(['signature'])
  })

  it('asks for each certificate’s dates at the moment of the document, not of the question', () => {
    const seconds = at.getTime() / 1000
    for (const who of ['leaf', 'instance'])
      for (const dates of [{ notAfter: seconds - 1 }, { notBefore: seconds + 1 }])
        expect(failed(judge({ [who]: dates }))).toEqual(['certificate-dates'])
    for (const dates of [{ notAfter: seconds }, { notBefore: seconds }])
      expect(judge({ leaf: dates }).ok).toBe(true)
    expect(judge({ leaf: { notAfter: seconds + 1 } }, later(100)).ok).toBe(true)
  })

  it('is fresh for as long as the caller says, five minutes by itself, and a minute ahead at most', () => {
    for (const [seconds, limit, fine] of [
      [300, undefined, true],
      [301, undefined, false],
      [0, 0, true],
      [1, 0, false],
      [1000, 1000, true],
      [1001, 1000, false],
      [-60, undefined, true],
      [-61, undefined, false],
      [1, Number.NaN, false],
    ] as const) {
      const maximumAgeSeconds = limit === undefined ? {} : { maximumAgeSeconds: limit }
      expect(failed(judge({}, { ...later(seconds), ...maximumAgeSeconds }))).toEqual(fine ? [] : ['fresh'])
    }
  })

  it('that carries another nonce, or none, is not for the one who asked', () => {
    for (const nonce of [cborNull, null, cborBytes(new Uint8Array()), cborBytes(nitroNonce.slice(1))])
      expect(failed(judge({ fields: { nonce } }))).toEqual(['nonce'])
  })

  it.each<[string, NitroDefects]>([
    ['of zeros', { pcrs: silent }],
    ['that are not there', { pcrs: [] }],
    ['of zeros, and others', { pcrs: [...silent, [cborInteger(3), nitroRegister(4)]] }],
  ])('is in debug mode with registers %s, unless that is allowed', (_, defects) => {
    const verdict = judge(defects)
    expect([failed(verdict), verdict.claims.debug]).toEqual([['debug'], true])
    for (const no of [false, 1, 'true']) expect(judge(defects, { allowDebug: no }).ok).toBe(false)
    expect(judge(defects, { allowDebug: true }).ok).toBe(true)
  })

  it('is not in debug mode with one of PCR0 to PCR2', () => {
    for (const index of [0, 1, 2])
      expect(judge({ pcrs: [[cborInteger(index), nitroRegister(9)]] }).claims.debug).toBe(false)
  })
})

const fields = (change: NitroDefects['fields'] = {}): NitroDefects => ({ fields: change })
const pcrs = (index: Uint8Array, value = nitroRegister(1)): NitroDefects => ({ pcrs: [[index, value]] })
const [leaf = new Uint8Array(), ...others] = nitroChain()
const wrapped = others.map(cborBytes)

describe('what is no Nitro document', () => {
  it.each<[string, NitroDefects, string]>([
    ['three items less', { more: [cborNull] }, 'nitro'],
    ['a list as unprotected header', { unprotected: cborList([]) }, 'nitro.header'],
    ['a field outside the signature', { unprotected: cborMap([[cborInteger(4), cborNull]]) }, 'nitro.header'],
    ['ES256 in its header', { header: hexToBytes('a10126') }, 'nitro.header'],
    ['no algorithm', { header: hexToBytes('a0') }, 'nitro.header'],
    ['a payload that is a list', { payload: cborList([]) }, 'nitro.payload'],
    ['no certificate', fields({ certificate: null }), 'nitro.cabundle'],
    ['a certificate in text', fields({ certificate: cborText('x') }), 'nitro.cabundle'],
    ['no bundle', fields({ cabundle: null }), 'nitro.cabundle'],
    ['an empty bundle', fields({ cabundle: cborList([]) }), 'nitro.cabundle'],
    ['nine authorities', fields({ cabundle: cborList(Array(9).fill(wrapped[0])) }), 'nitro.cabundle'],
    ['an authority in text', fields({ cabundle: cborList([cborText('x'), ...wrapped]) }), 'nitro.cabundle'],
    ['no module', fields({ module_id: null }), 'nitro.payload'],
    ['a module that is a number', fields({ module_id: cborInteger(1) }), 'nitro.payload'],
    ['no digest', fields({ digest: null }), 'nitro.payload'],
    ['digests of another kind', fields({ digest: cborText('SHA256') }), 'nitro.payload'],
    ['no registers', fields({ pcrs: null }), 'nitro.payload'],
    ['registers in a list', fields({ pcrs: cborList([nitroRegister(1)]) }), 'nitro.payload'],
    ['a register of 32 bytes', pcrs(cborInteger(0), nitroRegister(1, 32)), 'nitro.pcrs'],
    ['a register in text', pcrs(cborInteger(0), cborText('x'.repeat(48))), 'nitro.pcrs'],
    ['a register under a text', pcrs(cborText('0')), 'nitro.pcrs'],
    ['a register under -1', pcrs(cborInteger(-1)), 'nitro.pcrs'],
    ['a register under 32', pcrs(cborInteger(32)), 'nitro.pcrs'],
    ['one register twice', { pcrs: [...nitroRegisters, [cborInteger(0), nitroRegister(0)]] }, 'cbor.'],
    ['no time', fields({ timestamp: null }), 'nitro.timestamp'],
    ['a time before 1970', fields({ timestamp: cborInteger(-1) }), 'nitro.timestamp'],
    [
      'a time that no calendar has',
      fields({ timestamp: cborInteger(8_640_000_000_000_001) }),
      'nitro.timestamp',
    ],
    ['a time in text', fields({ timestamp: cborText('1') }), 'nitro.timestamp'],
    ['a key in text', fields({ public_key: cborText('x') }), 'nitro.public_key'],
    ['user data that are a number', fields({ user_data: cborInteger(1) }), 'nitro.user_data'],
    ['a nonce in text', fields({ nonce: cborText('x') }), 'nitro.nonce'],
    ['more than any has', fields({ user_data: cborBytes(new Uint8Array(1 << 15)) }), 'nitro'],
  ])('has %s', (_, defects, place) => {
    expect(() => judge(defects)).toThrow(
      expect.objectContaining({
        name: 'AttestError',
        code: 'BAD_EVIDENCE',
        place: expect.stringContaining(place),
      }),
    )
  })

  it.each<[string, Uint8Array[]]>([
    ['three', [cborBytes(hexToBytes('a1013822')), cborMap([]), cborBytes(cborMap([]))]],
    ['a header that is no byte string', [cborMap([]), cborMap([]), cborBytes(cborMap([])), cborBytes(leaf)]],
    [
      'a payload that is no byte string',
      [cborBytes(hexToBytes('a1013822')), cborMap([]), cborMap([]), cborBytes(leaf)],
    ],
    [
      'a signature that is no byte string',
      [cborBytes(hexToBytes('a1013822')), cborMap([]), cborBytes(cborMap([])), cborNull],
    ],
  ])('or its structure has %s', (_, items) => {
    const structure = cborList(items)
    expect(() => verifyNitroDocument(structure, asking)).toThrow(/it is no COSE_Sign1/)
    expect(() => verifyNitroDocument(concatBytes(Uint8Array.of(0xd2), structure), asking)).toThrow(
      /COSE_Sign1/,
    )
  })

  it('or stands behind another tag, twice behind its own, or before other bytes', () => {
    const good = nitroDocument()
    for (const before of [[0xd1], [0xd2, 0xd2]])
      expect(() => judgeBytes(concatBytes(Uint8Array.from(before), good))).toThrow(/a tag/)
    expect(() => judgeBytes(concatBytes(good, Uint8Array.of(0)))).toThrow(/left over/)
  })

  it('or its structure is written in another form, which no signature covers', () => {
    const [header, payload, signature] = [hexToBytes('a1013822'), cborMap([]), new Uint8Array(96)]
    const parts = [
      Uint8Array.of(0x84),
      cborBytes(header),
      Uint8Array.of(0xa0),
      cborBytes(payload),
      cborBytes(signature),
    ]
    const long = (major: number, value: Uint8Array, count = value.length) =>
      concatBytes(Uint8Array.of((major << 5) | 25, count >> 8, count & 0xff), value)
    const others: readonly (readonly [number, Uint8Array])[] = [
      [0, hexToBytes('9804')],
      [0, hexToBytes('990004')],
      [1, long(2, header)],
      [2, hexToBytes('b800')],
      [2, hexToBytes('bfff')],
      [3, long(2, payload)],
      [4, long(2, signature)],
    ]
    // In the one form it is the payload that is wrong.
    expect(() => judgeBytes(concatBytes(...parts))).toThrow(/authorities are missing/)
    for (const [place, form] of others) {
      const other = concatBytes(...parts.map((part, i) => (i === place ? form : part)))
      expect(() => judgeBytes(other)).toThrow(/not in the shortest form/)
      expect(() => judgeBytes(concatBytes(Uint8Array.of(0xd2), other))).toThrow(/not in the shortest form/)
    }
  })

  it('no byte can be changed without notice, and none makes it crash', () => {
    const good = nitroDocument()
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
        const changed = good.slice()
        changed[index] = (changed[index] ?? 0) ^ mask
        try {
          expect(judgeBytes(changed).ok).toBe(false)
        } catch (error) {
          if (!(error instanceof AttestError)) throw error
          expect(error.code).toMatch(/^BAD_(EVIDENCE|CERTIFICATE|DER)$/)
        }
      }),
      { numRuns: 300 },
    )
  })
})

function judgeBytes(bytes: Uint8Array) {
  return verifyNitroDocument(bytes, asking, nitroSimulatorRoot)
}
