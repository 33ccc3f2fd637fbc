import { describe, expect, test, vi } from 'vitest'
import { parseHeader } from '../sealed-file/header.js'
import { openBytes } from '../sealed-file/open.js'
import { addRecipient } from '../sealed-file/rewrap.js'
import { sealBytes } from '../sealed-file/seal.js'
import { runSession, seededRandom, testMembers, testSession } from '../testing/committee.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  recipients,
  repeatable,
  scope,
  withHeader,
} from '../testing/sealed-fixture.js'
import {
  type CollectPartialDecryptions,
  committeeIdentity,
  committeeLabel,
  committeeRecipient,
} from './committee-recipient.js'
import { decryptPartially } from './partial-decryption.js'

const random = seededRandom('committee recipient')
const members = testMembers('committee recipient', 3)
const own = { chainId: scope.chainId, pool: scope.pool }
const { key, shares } = runSession(members, testSession(members, 2, own))
const asking =
  (some = shares): CollectPartialDecryptions =>
  ({ envelope, label }) =>
    some.map((share) => decryptPartially({ share, envelope, label, random }))
const identity = committeeIdentity({ key, collect: asking(shares.slice(1)) })
const sealing = { recipients: [...recipients, committeeRecipient({ key })], context, chunkSize: 64 }
const seal = (seed: number) => sealBytes(bytesOf(100), { ...sealing, random: repeatable(seed) })

describe('a file sealed to a committee', () => {
  test('is sealed, opened and labelled with a key and a way to ask alone', async () => {
    const sealed = await seal(1)
    const wrong = { ...key, threshold: 9 }
    expect(await codeOf(() => committeeRecipient({ key: wrong }))).toBe('SESSION_INVALID')
    expect(await codeOf(() => committeeIdentity({ key: wrong, collect: asking() }))).toBe('SESSION_INVALID')
    expect(await codeOf(() => committeeLabel({ key: wrong, header: sealed }))).toBe('SESSION_INVALID')
    for (const collect of [undefined, null, [], {}]) {
      expect(await codeOf(() => committeeIdentity({ key, collect } as never))).toBe('OPTION_INVALID')
    }
    for (const none of [undefined, null, 5, Object.create({ key })]) {
      for (const use of [committeeRecipient, committeeIdentity, committeeLabel]) {
        expect(await codeOf(() => use(none))).toBe('OPTION_INVALID')
      }
    }
  })

  test('is opened by t of its members, beside its other recipients', async () => {
    const sealed = await seal(1)
    expect((await openBytes(sealed, { identities: [identity] })).plaintext).toEqual(bytesOf(100))
    expect((await openBytes(sealed, { identities: [pool] })).plaintext).toEqual(bytesOf(100))
  })

  test('is judged by its members from the header: they know the context and the only label for it', async () => {
    const sealed = await seal(1)
    const header = sealed.slice(0, parseHeader(sealed).payloadOffset)
    const judged = committeeLabel({ header, key })
    expect(judged.context).toEqual(parseHeader(sealed).context)
    const seen: Uint8Array[] = []
    const watching = committeeIdentity({
      key,
      collect: (request) => {
        seen.push(request.label)
        return asking()({ ...request, label: judged.label })
      },
    })
    expect((await openBytes(sealed, { identities: [watching] })).plaintext).toEqual(bytesOf(100))
    expect(seen).toEqual([judged.label])
    expect(committeeLabel({ header: await seal(2), key }).label).not.toEqual(judged.label)
  })

  test('is opened by a committee that took the key over', async () => {
    const next = testMembers('successors of the recipient', 4)
    const moved = runSession(next, testSession(next, 3, { ...own, previous: key }), { members, shares })
    const successors = committeeIdentity({ key: moved.key, collect: asking(moved.shares.slice(1)) })
    expect((await openBytes(await seal(1), { identities: [successors] })).plaintext).toEqual(bytesOf(100))
  })

  test('is not opened by fewer, nor by another committee', async () => {
    const few = committeeIdentity({ key, collect: asking(shares.slice(2)) })
    expect(await codeOf(async () => openBytes(await seal(1), { identities: [few] }))).toBe('SHARES_MISSING')
    const strangers = testMembers('another committee', 2)
    const other = runSession(strangers, testSession(strangers, 2))
    const wrong = committeeIdentity({ key: other.key, collect: asking(other.shares) })
    expect(await codeOf(async () => openBytes(await seal(1), { identities: [wrong] }))).toBe(
      'NO_MATCHING_IDENTITY',
    )
  })

  test.each([
    ['pool', `0x${'22'.repeat(20)}`],
    ['chainId', 1],
  ] as const)('of another %s is sealed to it, judged and opened by nobody', async (name, value) => {
    const elsewhere = { ...context, [name]: value }
    const mismatch = { code: 'CONTEXT_MISMATCH', place: `$.context.${name}` }
    const sealing = { context: elsewhere, random: repeatable(1) }
    const recipient = committeeRecipient({ key })
    expect(recipient.scope).toEqual(own)
    await expect(sealBytes(bytesOf(9), { ...sealing, recipients: [recipient] })).rejects.toMatchObject(
      mismatch,
    )
    const plain = await sealBytes(bytesOf(9), { ...sealing, recipients })
    const adding = addRecipient(plain, { identities: [pool], recipient, random })
    await expect(adding).rejects.toMatchObject(mismatch)
    // A committee that says that it is of that pool, under the same key: as a program without this check would seal.
    const header = await sealBytes(bytesOf(9), {
      ...sealing,
      recipients: [committeeRecipient({ key: { ...key, [name]: value } })],
    })
    const collect = vi.fn(asking())
    const opening = openBytes(header, { identities: [committeeIdentity({ key, collect })] })
    await expect(opening).rejects.toMatchObject(mismatch)
    expect(collect).not.toHaveBeenCalled()
    expect(() => committeeLabel({ header, key })).toThrow(expect.objectContaining(mismatch))
  })

  test('with the stanza of another file makes every member refuse before it gives its part', async () => {
    const [one, two] = [await seal(1), await seal(2)]
    const foreign = parseHeader(two).recipients.at(-1)
    const moved = withHeader(one, (header) => ({
      ...header,
      recipients: [...parseHeader(one).recipients.slice(0, -1), foreign ?? {}],
    }))
    expect(await codeOf(() => openBytes(moved, { identities: [identity] }))).toBe('ENVELOPE_REFUSED')
    const deaf = committeeIdentity({ key, collect: () => [] })
    expect(await codeOf(() => openBytes(moved, { identities: [deaf] }))).toBe('WRAP_REFUSED')
  })
})
