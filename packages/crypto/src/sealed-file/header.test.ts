import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { encodeBase64Url } from '../encoding/base64url.js'
import { concatBytes } from '../encoding/bytes.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  poolKey,
  sealedOf,
  through,
  wallet,
  withHeader,
  withHeaderText,
} from '../testing/sealed-fixture.js'
import { parseContext } from './context.js'
import { maximumHeaderLength, parseHeader, prefixLength } from './header.js'
import { openBytes, openStream } from './open.js'
import { parseStanzas } from './stanza.js'

let sealed: Uint8Array
let json: string
beforeAll(async () => {
  sealed = await sealedOf(10)
  json = new TextDecoder().decode(parseHeader(sealed).encoded.subarray(prefixLength))
})
const parse = (bytes: Uint8Array) => codeOf(() => parseHeader(bytes))
const setByte = (index: number, value: number) => {
  const changed = sealed.slice()
  changed[index] = value
  return changed
}

test('parseHeader gives every field of the header as sealed', () => {
  const header = parseHeader(sealed)
  expect(header).toMatchObject({ suite: 'aes-256-gcm', chunkSize: 64, context })
  expect(header.recipients.map((stanza) => [stanza.type, stanza['keyId']])).toEqual([
    ['hpke', poolKey.keyId],
    ['wallet', wallet.keyId],
  ])
  expect(header.salt.length).toBe(32)
  expect(header.payloadOffset).toBe(sealed.length - 26)
})

test('parseHeader gives what stood there then, whatever becomes of the bytes', () => {
  const bytes = Buffer.from(sealed)
  const header = parseHeader(bytes)
  const wanted = parseHeader(sealed)
  bytes.fill(0)
  expect(header).toEqual(wanted)
})

describe('a header of many values', () => {
  // 131,072 of the characters [ { , outside of strings, and as many of them inside; longer by `more`.
  const full = (more: number) => JSON.stringify(['[{,"\\'.repeat(50_000), ...Array(131_071 + more).fill(0)])
  const fileOf = (text: string) => withHeaderText(sealed, text)
  const messageOf = (file: Uint8Array) => {
    try {
      return String(parseHeader(file))
    } catch (error) {
      return String(error)
    }
  }

  test('is read up to the limit, which counts nothing inside of strings', () => {
    expect(messageOf(fileOf(full(0)))).toContain('expected exactly the fields')
  })

  test('is refused past it before any of them is made', () => {
    const files = [full(1), `[${'[],'.repeat(1_000_000)}1]`, '['.repeat(131_073), '{'.repeat(131_073)].map(
      fileOf,
    )
    const parsing = vi.spyOn(JSON, 'parse')
    for (const file of files) expect(messageOf(file)).toContain('more values')
    expect(parsing).not.toHaveBeenCalled()
    parsing.mockRestore()
    expect(messageOf(fileOf(`"${'x'.repeat(140_000)}`))).toContain('not canonical JSON')
    expect(messageOf(fileOf(`"${'x'.repeat(140_000)}\\`))).toContain('not canonical JSON')
  })
})

describe('a context', () => {
  test.each<readonly [string, object]>([
    ['chainId', { chainId: 1.5 }],
    ['chainId', { chainId: '1' }],
    ['epoch', { epoch: 0.5 }],
    ['epoch', { epoch: '1' }],
    ['epoch', { epoch: [1] }],
    ['mediaType', { mediaType: ['text/csv'] }],
    ['mediaType', { mediaType: null }],
  ])('with another %s is refused: %j', (name, change) => {
    expect(() => parseContext({ ...context, ...change })).toThrow(
      expect.objectContaining({ code: 'CONTEXT_INVALID', place: `$.context.${name}` }),
    )
  })

  test.each([null, 'x', 7, [], {}])('is an object: %j is none', (value) => {
    expect(() => parseContext(value)).toThrow(
      expect.objectContaining({ code: 'CONTEXT_INVALID', place: '$.context' }),
    )
  })
})

describe('a stanza', () => {
  const threshold = { type: 'threshold', keyId: 'k', scheme: 's/1', envelope: 'AA' }
  const long = (length: number) => encodeBase64Url(new Uint8Array(length))

  test('of a committee is read, with an envelope of 1 to 65,536 bytes', () => {
    for (const envelope of ['AA', long(65_536)]) {
      expect(parseStanzas([{ ...threshold, envelope }])).toEqual([{ ...threshold, envelope }])
    }
  })

  test.each<readonly [string, object]>([
    ['scheme', { scheme: 'S' }],
    ['scheme', { scheme: ['s'] }],
    ['envelope', { envelope: '' }],
    ['envelope', { envelope: long(65_537) }],
    ['envelope', { envelope: 1 }],
  ])('of a committee is refused for its %s', (name, change) => {
    expect(() => parseStanzas([{ ...threshold, ...change } as JsonObject])).toThrow(
      expect.objectContaining({ code: 'HEADER_INVALID', place: `$.recipients[0].${name}` }),
    )
  })

  test.each([null, 'hpke', 1, [], [{ type: 'x' }]])('is an object with a type: %j is none', (value) => {
    expect(() => parseStanzas([value])).toThrow(expect.objectContaining({ code: 'HEADER_INVALID' }))
  })

  test('of a type that nobody knows passes, whatever KEM it names', () => {
    const unknown = { type: 'later', kem: 'x25519', more: 1 }
    expect(parseStanzas([unknown])).toEqual([unknown])
  })
})

describe('the prefix', () => {
  test('is checked for magic, version and length', async () => {
    expect(await parse(setByte(0, 0x73))).toBe('NOT_SEALED_FILE')
    expect(await parse(new TextEncoder().encode('hello'))).toBe('NOT_SEALED_FILE')
    expect(await parse(new Uint8Array())).toBe('TRUNCATED')
    expect(await parse(setByte(8, 2))).toBe('VERSION_UNSUPPORTED')
    expect(await parse(setByte(9, 0xff))).toBe('HEADER_TOO_LARGE')
    expect(await parse(sealed.slice(0, 12))).toBe('TRUNCATED')
    expect(await parse('x' as unknown as Uint8Array)).toBe('OPTION_INVALID')
  })

  test('may claim at most 1 MiB, and the claim alone takes no memory', async () => {
    const claim = (length: number) => {
      const prefix = sealed.slice(0, prefixLength)
      new DataView(prefix.buffer).setUint32(9, length)
      return prefix
    }
    expect(await parse(claim(maximumHeaderLength))).toBe('TRUNCATED')
    expect(await parse(claim(maximumHeaderLength + 1))).toBe('HEADER_TOO_LARGE')
    for (const piece of [1, 100]) {
      const huge = concatBytes(claim(0xffffffff), new Uint8Array(500))
      expect(await codeOf(() => through(openStream({ identities: [pool] }), huge, piece))).toBe(
        'HEADER_TOO_LARGE',
      )
    }
  })
})

describe('the JSON', () => {
  test.each<readonly [string, (text: string) => string]>([
    ['white space', (text) => text.replace(':', ': ')],
    ['members in another order', (text) => `{"z":1,${text.slice(1)}`],
    ['a duplicate member', (text) => text.replace('"chunkSize":64', '"chunkSize":64,"chunkSize":64')],
    ['another form of a number', (text) => text.replace('"chunkSize":64', '"chunkSize":64.0')],
    ['a needless escape', (text) => text.replace('text/csv', String.raw`text\/csv`)],
    ['a line end behind it', (text) => `${text}\n`],
  ])('must be canonical: refused with %s', async (_name, change) => {
    expect(await parse(withHeaderText(sealed, change(json)))).toBe('HEADER_NOT_CANONICAL')
  })

  test.each(['', '{', 'null', '[]', '1', '"x"', '{}', '\ufeff{}', '['.repeat(50_000)])(
    'must be an object with its fields: refused as %j',
    async (text) => {
      expect(await parse(withHeaderText(sealed, text))).toBe('HEADER_INVALID')
    },
  )

  const edits: readonly (readonly [string, (header: JsonObject) => Record<string, unknown>])[] = [
    ['another field', (header) => ({ ...header, note: 1 })],
    ['a field less', ({ salt: _, ...header }) => header],
    ['an unknown suite', (header) => ({ ...header, suite: 'aes-128-gcm' })],
    ['a chunk size of 63', (header) => ({ ...header, chunkSize: 63 })],
    ['a chunk size past 4 MiB', (header) => ({ ...header, chunkSize: 4_194_305 })],
    ['a broken chunk size', (header) => ({ ...header, chunkSize: 64.5 })],
    ['a chunk size as text', (header) => ({ ...header, chunkSize: '64' })],
    ['a short salt', (header) => ({ ...header, salt: 'AAAA' })],
    ['a salt with padding', (header) => ({ ...header, salt: `${'A'.repeat(43)}=` })],
    ['a salt that is a number', (header) => ({ ...header, salt: 1 })],
    ['a context with another field', (header) => ({ ...header, context: { ...context, note: 1 } })],
    ['a context without epoch', (header) => ({ ...header, context: { ...context, epoch: undefined } })],
    [
      'a pool with capitals',
      (header) => ({ ...header, context: { ...context, pool: `0x${'AB'.repeat(20)}` } }),
    ],
    ['a context that is a list', (header) => ({ ...header, context: [] })],
    ['no recipients', (header) => ({ ...header, recipients: [] })],
    ['recipients that are no list', (header) => ({ ...header, recipients: {} })],
    ['a recipient that is no object', (header) => ({ ...header, recipients: [null] })],
    ['a recipient without type', (header) => ({ ...header, recipients: [{}] })],
    ['a recipient whose type is no name', (header) => ({ ...header, recipients: [{ type: 'A B' }] })],
    [
      'critical that is no boolean',
      (header) => ({ ...header, recipients: [{ type: 'later', critical: 1 }] }),
    ],
  ]
  test.each(edits)('is refused with %s', async (_name, change) => {
    const edited = withHeader(sealed, (header) => JSON.parse(JSON.stringify(change(header))) as JsonObject)
    expect(await parse(edited)).toBe('HEADER_INVALID')
  })

  test.each<readonly [string, object]>([
    ['another field', { note: 1 }],
    ['a short key', { enc: 'AAAA' }],
    ['a short wrap', { wrapped: 'AAAA' }],
    ['a wrap with unused bits', { wrapped: `${'A'.repeat(63)}` }],
    ['an id with blanks', { keyId: 'a b' }],
    ['an id of 129 characters', { keyId: 'a'.repeat(129) }],
    ['an id that is no text', { keyId: 1 }],
    ['an address with capitals', { address: `0x${'AB'.repeat(20)}` }],
    ['no address', { address: null }],
  ])('is refused with a wallet stanza with %s', async (_name, change) => {
    const edited = withHeader(sealed, (header) => {
      const [first = {}, second = {}] = header['recipients'] as readonly JsonObject[]
      return { ...header, recipients: [first, { ...second, ...change }] }
    })
    expect(await parse(edited)).toBe('HEADER_INVALID')
  })

  test('is refused with a second stanza for the same key', async () => {
    const edited = withHeader(sealed, (header) => {
      const [first = {}] = header['recipients'] as readonly JsonObject[]
      return { ...header, recipients: [first, { ...first, wrapped: 'A'.repeat(64) }] }
    })
    expect(await parse(edited)).toBe('HEADER_INVALID')
  })

  test('has whole numbers only, also in stanzas that are unknown', async () => {
    const withNumber = (number: number) =>
      withHeader(sealed, (header) => ({
        ...header,
        recipients: [...(header['recipients'] as readonly JsonObject[]), { type: 'x', deep: [{ number }] }],
      }))
    for (const number of [0, -1, 2 ** 53 - 1, 1 - 2 ** 53]) {
      expect(await parse(withNumber(number))).toBe('accepted')
    }
    for (const number of [0.5, 2 ** 53, 1e21, -1e-7]) {
      expect(await parse(withNumber(number))).toBe('HEADER_INVALID')
    }
  })

  test('holds at most 10,000 recipients', async () => {
    const filled = (count: number) =>
      withHeader(sealed, (header) => ({
        ...header,
        recipients: Array.from({ length: count }, () => ({ type: 'x' })),
      }))
    expect(await parse(filled(10_000))).toBe('accepted')
    expect(await parse(filled(10_001))).toBe('HEADER_INVALID')
  })

  test('keeps unknown stanzas, also known types with an unknown KEM, unless they are critical', async () => {
    const withStanza = (stanza: JsonObject) =>
      withHeader(sealed, (header) => ({
        ...header,
        recipients: [...(header['recipients'] as readonly JsonObject[]), stanza],
      }))
    for (const stanza of [
      { type: 'quorum', shares: [1, 2] },
      { type: 'hpke', kem: 'x448', critical: false },
    ]) {
      expect(parseHeader(withStanza(stanza)).recipients[2]).toEqual(stanza)
    }
    for (const type of ['hpke', 'wallet']) {
      for (const rest of [{}, { kem: 7 }, { kem: null }, { critical: true }]) {
        expect(await parse(withStanza({ type, ...rest }))).toBe('HEADER_INVALID')
      }
    }
    expect(await parse(withStanza({ type: 'quorum', critical: true }))).toBe('RECIPIENT_UNSUPPORTED')
    expect(await parse(withStanza({ type: 'hpke', kem: 'x448', critical: true }))).toBe(
      'RECIPIENT_UNSUPPORTED',
    )
  })
})

test('any bytes give a header or a typed error, and any change a typed error or the same plaintext', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 3000 }),
      fc.nat({ max: 20 }),
      fc.uint8Array({ maxLength: 30 }),
      async (at, removed, inserted) => {
        const start = Math.min(at, sealed.length)
        const changed = concatBytes(sealed.slice(0, start), inserted, sealed.slice(start + removed))
        const code = await codeOf(async () => {
          const { plaintext } = await openBytes(changed, { identities: [pool] })
          expect(plaintext).toEqual(bytesOf(10))
          expect(changed).toEqual(sealed)
        })
        expect(code).toMatch(/^[A-Z_]+$|^accepted$/)
      },
    ),
    { numRuns: 300 },
  )
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (noise) => {
      expect(await parse(noise)).not.toBe('accepted')
      expect(await parse(concatBytes(sealed.slice(0, 9), noise))).not.toBe('accepted')
    }),
  )
})
