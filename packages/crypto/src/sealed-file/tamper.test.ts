import { beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { concatBytes } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import { platformRandom } from '../platform.js'
import { derivePoolKey } from '../pool-key/derive.js'
import { hpkeIdentity, hpkeRecipient } from '../recipient/hpke-recipient.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  poolKey,
  recipients,
  repeatable,
  scope,
  sealedOf,
  stranger,
  through,
  wallet,
  withHeader,
} from '../testing/sealed-fixture.js'
import { bindingOf, headerMac, unlockHeader } from './file-key.js'
import { encodeHeader, parseHeader } from './header.js'
import { openBytes, openStream, unlock } from './open.js'
import { seal, sealBytes } from './seal.js'

const chunk = 64 + 16
let sealed: Uint8Array
let payload: Uint8Array
let head: Uint8Array
const open = (bytes: Uint8Array) => openBytes(bytes, { identities: [pool] })
/** What a stream gave before it failed, and the code of its failure. */
async function streamed(bytes: Uint8Array): Promise<{ out: Uint8Array; code: string }> {
  const parts: Uint8Array[] = []
  const code = await codeOf(async () => {
    const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(openStream({ identities: [pool] }))
    const reader = stream.getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value)
  })
  return { out: concatBytes(...parts), code }
}

beforeAll(async () => {
  sealed = await sealedOf(200)
  const { payloadOffset } = parseHeader(sealed)
  head = sealed.slice(0, payloadOffset)
  payload = sealed.slice(payloadOffset)
})

test('a file cut at any byte is refused, whole and streamed', async () => {
  for (let length = 0; length < sealed.length; length++) {
    const cut = sealed.slice(0, length)
    expect(await codeOf(() => open(cut)), `whole, ${length} bytes`).toMatch(/^(TRUNCATED|CHUNK_REFUSED)$/)
    const { out, code } = await streamed(cut)
    expect(code, `streamed, ${length} bytes`).toMatch(/^(TRUNCATED|CHUNK_REFUSED)$/)
    expect(out).toEqual(bytesOf(200).slice(0, out.length))
  }
})

test('a file that ends with its header is called truncated, whole and streamed', async () => {
  for (const rest of [0, 1, 15]) {
    const cut = concatBytes(head, payload.slice(0, rest))
    expect(await codeOf(() => open(cut))).toBe('TRUNCATED')
    expect((await streamed(cut)).code).toBe('TRUNCATED')
  }
})

test('a file that ends exactly after some chunk is refused', async () => {
  for (const chunks of [1, 2, 3]) {
    const cut = concatBytes(head, payload.slice(0, chunks * chunk))
    expect(await codeOf(() => open(cut))).toBe('CHUNK_REFUSED')
    // All chunks before the last of the cut file are authentic; the last is not, for it was not sealed as one.
    expect(await streamed(cut)).toEqual({
      out: bytesOf(200).slice(0, (chunks - 1) * 64),
      code: 'CHUNK_REFUSED',
    })
  }
})

test('a flipped bit in any byte is refused, and no changed plaintext comes out of a stream', async () => {
  for (let index = 0; index < sealed.length; index++) {
    const changed = sealed.slice()
    changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8))
    expect(await codeOf(() => open(changed)), `byte ${index}`).not.toBe('accepted')
    if (index < head.length && index % 7 !== 0) continue
    const { out, code } = await streamed(changed)
    expect(code).not.toBe('accepted')
    expect(out).toEqual(bytesOf(200).slice(0, out.length))
  }
})

describe('chunks', () => {
  const part = (from: number, to: number) => payload.slice(from * chunk, to * chunk)
  test.each<readonly [string, () => Uint8Array]>([
    ['reordered', () => concatBytes(part(1, 2), part(0, 1), part(2, 9))],
    ['duplicated', () => concatBytes(part(0, 1), part(0, 1), part(1, 9))],
    ['dropped at the start', () => part(1, 9)],
    ['dropped in the middle', () => concatBytes(part(0, 1), part(2, 9))],
    ['replaced by the last', () => concatBytes(part(0, 2), part(3, 9))],
    ['followed by one more byte', () => concatBytes(payload, new Uint8Array(1))],
    ['followed by a whole chunk', () => concatBytes(payload, part(0, 1))],
    ['followed by the last once more', () => concatBytes(payload, part(3, 9))],
  ])('that are %s are refused', async (_name, change) => {
    const changed = concatBytes(head, change())
    expect(await codeOf(() => open(changed))).toMatch(/^(TRUNCATED|CHUNK_REFUSED)$/)
    const { out, code } = await streamed(changed)
    expect(code).toMatch(/^(TRUNCATED|CHUNK_REFUSED)$/)
    expect(out).toEqual(bytesOf(200).slice(0, out.length))
  })

  test('of another file for the same recipients and context are refused', async () => {
    const other = await sealedOf(200, { seed: 2 })
    const otherPayload = other.slice(parseHeader(other).payloadOffset)
    const spliced = concatBytes(head, part(0, 1), otherPayload.slice(chunk))
    expect(await codeOf(() => open(spliced))).toBe('CHUNK_REFUSED')
    expect(await codeOf(() => open(concatBytes(head, otherPayload)))).toBe('CHUNK_REFUSED')
  })

  test('that hold nothing at the end of a full payload are refused', async () => {
    const full = await sealedOf(128)
    expect(await codeOf(() => open(concatBytes(full, new Uint8Array(16))))).toBe('TRUNCATED')
    expect((await streamed(concatBytes(full, new Uint8Array(16)))).code).toBe('CHUNK_REFUSED')
    // Made by someone who has the keys, so that every tag is right.
    const header = parseHeader(full)
    const { cipher } = await unlock(header, { identities: [pool] })
    const forged = concatBytes(
      full.slice(0, header.payloadOffset),
      await cipher.seal(0, false, bytesOf(128).slice(0, 64)),
      await cipher.seal(1, false, bytesOf(128).slice(64)),
      await cipher.seal(2, true, new Uint8Array()),
    )
    expect(await codeOf(() => open(forged))).toBe('TRUNCATED')
    expect(await streamed(forged)).toEqual({ out: bytesOf(128), code: 'CHUNK_REFUSED' })
  })
})

describe('the header', () => {
  const set = (name: string, value: (header: JsonObject) => unknown) => (header: JsonObject) =>
    ({ ...header, [name]: value(header) }) as JsonObject
  const setContext = (change: object) =>
    set('context', (header) => ({ ...(header['context'] as object), ...change }))
  const stanzas = (header: JsonObject) => header['recipients'] as readonly JsonObject[]

  test.each<readonly [string, (header: JsonObject) => JsonObject]>([
    ['chain', setContext({ chainId: 1 })],
    ['pool', setContext({ pool: `0x${'00'.repeat(20)}` })],
    ['policy', setContext({ policyDigest: `sha256:${'00'.repeat(32)}` })],
    ['epoch', setContext({ epoch: 2 })],
    ['commitment', setContext({ commitment: `sha256:${'00'.repeat(32)}` })],
    ['media type', setContext({ mediaType: 'text/plain' })],
    ['suite', set('suite', () => 'xchacha20-poly1305')],
    ['chunk size', set('chunkSize', () => 65)],
    ['salt', set('salt', () => 'A'.repeat(43))],
  ])('with another %s opens no stanza', async (_name, change) => {
    expect(await codeOf(() => open(withHeader(sealed, change)))).toMatch(/^(WRAP_REFUSED|TRUNCATED)$/)
  })

  test.each<readonly [string, (header: JsonObject) => JsonObject]>([
    ['a recipient less', set('recipients', (header) => stanzas(header).slice(0, 1))],
    ['recipients in another order', set('recipients', (header) => [...stanzas(header)].reverse())],
    ['a stanza of unknown type more', set('recipients', (header) => [...stanzas(header), { type: 'later' }])],
    [
      'another stanza altered',
      set('recipients', (header) => [stanzas(header)[0], { ...stanzas(header)[1], wrapped: 'A'.repeat(64) }]),
    ],
  ])('with %s fails its MAC', async (_name, change) => {
    expect(await codeOf(() => open(withHeader(sealed, change)))).toBe('HEADER_REFUSED')
  })

  test.each<readonly [string, (header: JsonObject) => JsonObject]>([
    [
      'keys swapped between stanzas',
      set('recipients', (header) => {
        const [first = {}, second = {}] = stanzas(header)
        return [
          { ...first, enc: second['enc'], wrapped: second['wrapped'] },
          { ...second, enc: first['enc'], wrapped: first['wrapped'] },
        ]
      }),
    ],
    [
      'an encapsulated key of low order',
      set('recipients', (header) => [{ ...stanzas(header)[0], enc: 'A'.repeat(43) }, stanzas(header)[1]]),
    ],
  ])('with %s opens no stanza', async (_name, change) => {
    expect(await codeOf(() => open(withHeader(sealed, change)))).toBe('WRAP_REFUSED')
  })

  test('of another file does not open this payload, nor does a stanza moved between files', async () => {
    const other = await sealedOf(200, { seed: 2 })
    const otherHead = other.slice(0, parseHeader(other).payloadOffset)
    expect(await codeOf(() => open(concatBytes(otherHead, payload)))).toBe('CHUNK_REFUSED')
    const [moved] = parseHeader(other).recipients
    const changed = withHeader(
      sealed,
      set('recipients', (header) => [moved, stanzas(header)[1]]),
    )
    expect(await codeOf(() => open(changed))).toBe('WRAP_REFUSED')
  })

  test('with a changed MAC is refused', async () => {
    const changed = sealed.slice()
    changed[head.length - 1] = (changed[head.length - 1] ?? 0) ^ 1
    expect(await codeOf(() => open(changed))).toBe('HEADER_REFUSED')
  })
})

describe('identities', () => {
  test('that are not recipients are told so', async () => {
    expect(await codeOf(() => openBytes(sealed, { identities: [stranger] }))).toBe('NO_MATCHING_IDENTITY')
    expect(await codeOf(() => openBytes(sealed, { identities: [] }))).toBe('NO_MATCHING_IDENTITY')
  })
  test('that give something else than 32 bytes are refused', async () => {
    const broken = { ...pool, unwrap: async () => new Uint8Array(31) }
    expect(await codeOf(() => openBytes(sealed, { identities: [broken] }))).toBe('WRAP_REFUSED')
    expect(await codeOf(() => openBytes(sealed, { identities: [broken, wallet] }))).toBe('accepted')
  })
  test('with the right name and the wrong key are refused', async () => {
    const imposter = hpkeIdentity({ privateKey: new Uint8Array(32).fill(9), keyId: poolKey.keyId })
    expect(await codeOf(() => openBytes(sealed, { identities: [imposter] }))).toBe('WRAP_REFUSED')
    const opened = await openBytes(sealed, { identities: [imposter, wallet] })
    expect(opened.plaintext).toEqual(bytesOf(200))
  })
  test("of the same pool under another policy or epoch cannot open the file even under this key's name", async () => {
    for (const change of [{ policyDigest: `sha256:${'ac'.repeat(32)}` as const }, { epoch: 2 }]) {
      const key = derivePoolKey({ root: new Uint8Array(32).fill(1), ...scope, ...change })
      expect(await codeOf(() => openBytes(sealed, { identities: [hpkeIdentity(key)] }))).toBe(
        'NO_MATCHING_IDENTITY',
      )
      const named = hpkeIdentity({ privateKey: key.privateKey, keyId: poolKey.keyId })
      expect(await codeOf(() => openBytes(sealed, { identities: [named] }))).toBe('WRAP_REFUSED')
    }
  })
})

describe('expect', () => {
  test.each([
    { chainId: 1 },
    { pool: `0x${'00'.repeat(20)}` as const },
    { policyDigest: `sha256:${'00'.repeat(32)}` as const },
    { epoch: 2 },
    { commitment: `sha256:${'00'.repeat(32)}` as const },
    { mediaType: 'text/plain' },
  ])('refuses another %j before any key or payload is touched', async (expected) => {
    let asked = 0
    const counting: typeof pool = {
      ...pool,
      unwrap(request) {
        asked++
        return pool.unwrap(request)
      },
    }
    const options = { identities: [counting], expect: { ...context, ...expected } }
    expect(await codeOf(() => openBytes(sealed, options))).toBe('CONTEXT_MISMATCH')
    expect(await codeOf(() => through(openStream(options), sealed, 50))).toBe('CONTEXT_MISMATCH')
    expect(asked).toBe(0)
    await expect(openBytes(sealed, options)).rejects.toMatchObject({
      place: `$.context.${Object.keys(expected)[0]}`,
    })
  })
  test('refuses what is no expectation, and options that are none', async () => {
    for (const options of [undefined, null, {}, { identities: pool }, { identities: [pool], expect: null }]) {
      expect(await codeOf(() => openBytes(sealed, options as never))).toBe('OPTION_INVALID')
      expect(await codeOf(() => through(openStream(options as never), sealed, 50))).toBe('OPTION_INVALID')
    }
  })
  test('refuses a field that no context has, since it could never be checked', async () => {
    const options = { identities: [pool], expect: { policy: 'x' } as object }
    expect(await codeOf(() => openBytes(sealed, options))).toBe('OPTION_INVALID')
  })
})

test('the promise of the context rejects with the error of the stream', async () => {
  const opening = openStream({ identities: [stranger] })
  expect(await codeOf(() => through(opening, sealed, 100))).toBe('NO_MATCHING_IDENTITY')
  await expect(opening.context).rejects.toMatchObject({ code: 'NO_MATCHING_IDENTITY' })
  const cut = openStream({ identities: [pool] })
  expect(await codeOf(() => through(cut, sealed.slice(0, 20), 100))).toBe('TRUNCATED')
  await expect(cut.context).rejects.toMatchObject({ code: 'TRUNCATED' })
})

describe('the promise of the context', () => {
  const reason = new Error('the reader went away')
  const settled = (opening: ReturnType<typeof openStream>) =>
    opening.context.then(
      () => 'resolved',
      (error: unknown) => error,
    )

  test.each([0, 20])('rejects when the reader cancels after %i bytes', async (count) => {
    const opening = openStream({ identities: [pool] })
    const writer = opening.writable.getWriter()
    const written = writer.write(sealed.slice(0, count)).catch(() => undefined)
    await opening.readable.cancel(reason)
    expect(await settled(opening)).toBe(reason)
    await written
    await expect(writer.write(sealed)).rejects.toBe(reason)
  })

  test.each([0, 20])('rejects when the writer aborts after %i bytes', async (count) => {
    const opening = openStream({ identities: [pool] })
    const writer = opening.writable.getWriter()
    const written = writer.write(sealed.slice(0, count)).catch(() => undefined)
    await writer.abort(reason)
    expect(await settled(opening)).toBe(reason)
    await expect(opening.readable.getReader().read()).rejects.toBe(reason)
    await written
  })

  test.each(['cancel', 'abort'])('rejects with a typed error when a %s gives no reason', async (how) => {
    const opening = openStream({ identities: [pool] })
    await (how === 'cancel' ? opening.readable.cancel() : opening.writable.abort())
    expect(await settled(opening)).toMatchObject({ code: 'SOURCE_FAILED', place: 'stream' })
  })

  test('rejects when the source fails', async () => {
    const opening = openStream({ identities: [pool] })
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(reason)
      },
    })
    await expect(source.pipeTo(opening.writable)).rejects.toBe(reason)
    expect(await settled(opening)).toBe(reason)
  })

  test('stays resolved when the reader cancels later', async () => {
    const opening = openStream({ identities: [pool] })
    const writer = opening.writable.getWriter()
    const written = writer.write(sealed).catch(() => undefined)
    expect((await opening.context).chainId).toBe(31337)
    await opening.readable.cancel(reason)
    await written
    expect(await settled(opening)).toBe('resolved')
  })
})

describe('an identity that fails', () => {
  const failing = (error: unknown) => ({ type: 'x', keyId: 'x', unwrap: () => Promise.reject(error) })
  const retired = new CryptoError('EPOCH_RETIRED', 'epoch', 'closed')
  const network = new TypeError('fetch failed')
  const text = { type: 'x', keyId: 'x', unwrap: async () => 'x'.repeat(32) as never }

  test('keeps no later one from opening the file, whatever its error', async () => {
    for (const first of [failing(retired), failing(network), failing(undefined), text]) {
      const { plaintext } = await openBytes(sealed, { identities: [first, stranger, pool] })
      expect(plaintext).toEqual(bytesOf(200))
    }
  })

  test('keeps no later one from opening the file, also when it gives a file key that is not the file’s', async () => {
    const liar = { type: 'x', keyId: 'x', unwrap: async () => new Uint8Array(32).fill(5) }
    const { plaintext } = await openBytes(sealed, { identities: [liar, pool] })
    expect(plaintext).toEqual(bytesOf(200))
    for (const identities of [[liar], [liar, stranger], [liar, failing(network)]])
      expect(await codeOf(() => openBytes(sealed, { identities }))).toBe('HEADER_REFUSED')
  })

  test('keeps no later one from opening the file, also when a recipient wrote it a stanza of another key', async () => {
    const header = parseHeader(sealed)
    const fileKey = await unlockHeader(header, { identities: [pool] })
    const binding = bindingOf(header)
    const wrapped = {
      fileKey: bytesOf(32),
      context,
      binding,
      random: repeatable(3),
      backend: 'auto' as const,
    }
    const spoiled = await hpkeRecipient(poolKey).wrap(wrapped)
    const encoded = encodeHeader({ ...header, recipients: [spoiled, ...header.recipients.slice(1)] })
    const file = concatBytes(encoded, headerMac(header, fileKey)(encoded), payload)
    for (const identities of [
      [pool, wallet],
      [wallet, pool],
    ])
      expect((await openBytes(file, { identities })).plaintext).toEqual(bytesOf(200))
    expect(await codeOf(() => openBytes(file, { identities: [pool] }))).toBe('HEADER_REFUSED')
  })

  test('is the one whose error comes out when none opens it', async () => {
    const open = (...identities: Parameters<typeof openBytes>[1]['identities'][number][]) =>
      openBytes(sealed, { identities })
    await expect(open(failing(network), failing(retired), stranger)).rejects.toBe(network)
    await expect(open(stranger, failing(retired), failing(network))).rejects.toBe(retired)
    await expect(open(text, failing(network))).rejects.toMatchObject({ code: 'WRAP_REFUSED' })
  })
})

test('streams refuse a piece whose buffer was transferred, with a typed error', async () => {
  const options = { recipients, context, random: platformRandom, chunkSize: 64 }
  for (const stream of [seal(options), openStream({ identities: [pool] })]) {
    const gone = new Uint8Array(500)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    const ended = stream.readable.pipeTo(new WritableStream())
    ended.catch(() => undefined)
    const refused = { code: 'OPTION_INVALID', place: 'stream' }
    await expect(stream.writable.getWriter().write(gone)).rejects.toMatchObject(refused)
    await expect(ended).rejects.toMatchObject(refused)
  }
})

test('a stream lends the piece in which the header ends, and copies no payload of it', async () => {
  const sealed = await sealedOf(16_777_216, { chunkSize: 65_536 })
  const opening = openStream({ identities: [pool] })
  const ended = opening.readable.pipeTo(new WritableStream()).then(
    () => 'accepted',
    (error: unknown) => (error as { code: string }).code,
  )
  const before = process.memoryUsage().arrayBuffers
  const writer = opening.writable.getWriter()
  const written = writer.write(sealed).then(() => writer.close())
  await opening.context
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000)
  // Whoever breaks the rule and changes it meanwhile is noticed, since nothing else holds these bytes.
  sealed.fill(0, sealed.length / 2)
  expect(await ended).toBe('CHUNK_REFUSED')
  await written.catch(() => undefined)
})

test.each<readonly [string, unknown]>([
  ['a field that is undefined', { pool: undefined }],
  [
    'a field that is undefined, and cannot be listed',
    Object.defineProperty({}, 'pool', { enumerable: false }),
  ],
  ['a hidden field that differs', Object.defineProperty({}, 'epoch', { value: 9, enumerable: false })],
  ['a symbol', { [Symbol('epoch')]: 9 }],
  ['a list', []],
  ['a map', new Map([['epoch', 9]])],
  ['what is inherited', Object.create({ epoch: 9 })],
  ['what is inherited from no object', Object.create(Object.assign(Object.create(null), { epoch: 9 }))],
  ['nothing', null],
  ['a text', 'epoch'],
])('%s in the place of an expectation does not pass as none', async (_, wrong) => {
  const sealed = await sealedOf(64)
  const options = { identities: [pool], expect: wrong as never }
  expect(await codeOf(() => openBytes(sealed, options))).toBe('OPTION_INVALID')
  expect(await codeOf(() => through(openStream(options), sealed, 50))).toBe('OPTION_INVALID')
})

test('an expectation without prototype, or of another realm, is one', async () => {
  const sealed = await sealedOf(64)
  const { runInNewContext } = await import('node:vm')
  for (const [epoch, code] of [
    [1, 'accepted'],
    [9, 'CONTEXT_MISMATCH'],
  ] as const)
    for (const made of [
      Object.assign(Object.create(null), { epoch }),
      runInNewContext(`({ epoch: ${epoch} })`),
    ])
      expect(await codeOf(() => openBytes(sealed, { identities: [pool], expect: made }))).toBe(code)
})

test('a stream of sealed bytes carries bytes, and ends with a whole tag', async () => {
  const sealed = await sealedOf(64)
  const { payloadOffset } = parseHeader(sealed)
  const short = openStream({ identities: [pool] })
  await expect(through(short, sealed.slice(0, payloadOffset + 15), 40)).rejects.toMatchObject({
    code: 'TRUNCATED',
  })
  const text = openStream({ identities: [pool] })
  const writing = text.writable.getWriter().write('sealed' as unknown as Uint8Array)
  await expect(text.readable.getReader().read()).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    place: 'stream',
  })
  await writing.catch(() => undefined)
})

test.each([undefined, {}, { length: 1 }, []])('sealing for %j as recipients is refused', async (wrong) => {
  const options = { recipients: wrong as never, context, random: platformRandom }
  expect(await codeOf(() => sealBytes(new Uint8Array(), options))).toBe('RECIPIENT_INVALID')
})
