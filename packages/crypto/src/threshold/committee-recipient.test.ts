import { describe, expect, test } from 'vitest'
import { parseHeader } from '../sealed-file/header.js'
import { openBytes } from '../sealed-file/open.js'
import { sealBytes } from '../sealed-file/seal.js'
import { runSession, seededRandom, testMembers, testSession } from '../testing/committee.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  recipients,
  repeatable,
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
const { key, shares } = runSession(members, testSession(members, 2))
const asking =
  (some = shares): CollectPartialDecryptions =>
  ({ envelope, label }) =>
    some.map((share) => decryptPartially({ share, envelope, label, random }))
const identity = committeeIdentity({ key, collect: asking(shares.slice(1)) })
const sealing = { recipients: [...recipients, committeeRecipient(key)], context, chunkSize: 64 }
const seal = (seed: number) => sealBytes(bytesOf(100), { ...sealing, random: repeatable(seed) })

describe('a file sealed to a committee', () => {
  test('is opened by t of its members, beside its other recipients', async () => {
    const sealed = await seal(1)
    expect((await openBytes(sealed, { identities: [identity] })).plaintext).toEqual(bytesOf(100))
    expect((await openBytes(sealed, { identities: [pool] })).plaintext).toEqual(bytesOf(100))
  })

  test('is judged by its members from the header: they know the context and the only label for it', async () => {
    const sealed = await seal(1)
    const header = sealed.slice(0, parseHeader(sealed).payloadOffset)
    const judged = committeeLabel({ header, publicKey: key.publicKey })
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
    expect(committeeLabel({ header: await seal(2), publicKey: key.publicKey }).label).not.toEqual(
      judged.label,
    )
  })

  test('is opened by a committee that took the key over', async () => {
    const next = testMembers('successors of the recipient', 4)
    const moved = runSession(next, testSession(next, 3, { previous: key }), { members, shares })
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
