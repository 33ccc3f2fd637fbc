import { platformRandom } from '@sealpool/crypto'
import {
  combinePartialDecryptions,
  complain,
  dealShares,
  parseThresholdSession,
  type ThresholdSession,
  thresholdSessionDigest,
} from '@sealpool/crypto/threshold'
import { describe, expect, it } from 'vitest'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { committeeCeremony } from '../testing/committee-ceremony.js'
import { listedNodes } from '../testing/peer-node.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { readCommittee, shareOf } from './committee-file.js'
import { committeePurpose } from './committee-purpose.js'
import { memberCard, readMemberCard } from './member-card.js'
import { type ReshareAsked, requireReshare } from './reshare-rule.js'
import { servedParts } from './served-parts.js'

const deployment = { chainId: 31_337, nodeRegistry: `0x${'11'.repeat(20)}` } as const
const ring = (digit: number) => openKeyRing(new Uint8Array(32).fill(digit), digestOfDigit('1'))
const before = [ring(1), ring(2), ring(3)]
const [first, second] = before as [NodeKeyRing, NodeKeyRing]
/** The third is lost, the fourth takes its place. */
const after = [ring(1), ring(2), ring(4)]
const root = platformRandom(32)
const old = committeeCeremony({ members: before, threshold: 2, root, deployment })
const purpose = committeePurpose('in the place of the third')
const cards = after.map((keys) => memberCard(keys, deployment, purpose))
const session = (change: Partial<ThresholdSession> = {}): ThresholdSession =>
  parseThresholdSession({
    type: 'sealpool/threshold-session',
    version: 1,
    chainId: deployment.chainId,
    registry: deployment.nodeRegistry,
    pool: `0x${'00'.repeat(20)}`,
    purpose,
    threshold: 2,
    members: cards.map(({ address, encryptionKey }) => ({ address, encryptionKey })),
    previous: old.key,
    ...change,
  })

function asked(change: Partial<ReshareAsked> = {}): ReshareAsked {
  const chain = listedNodes()
  chain.allowed.add('0x01')
  for (const { statementAddress, keySetDigest } of after)
    chain.nodes.set(statementAddress, { keySetDigest, measurement: '0x01', active: true })
  const wanted = change.session ?? session()
  return {
    session: wanted,
    held: old.key,
    cards,
    allowed: [thresholdSessionDigest(wanted)],
    deployment,
    keys: first,
    chain,
    ...change,
  }
}
const refused = (place: string) => ({ code: 'COMMITTEE_INVALID', place })

describe('a member hands its share on', () => {
  it('to listed machines, in a session that its settings name; the new committee opens what the old one did', async () => {
    await requireReshare(asked())
    const wanted = session()
    const dealers = [first, second]
    const dealt = dealers.map((keys) =>
      dealShares({
        session: wanted,
        signingKey: keys.statementKey,
        random: platformRandom,
        share: shareOf(old.file, keys, deployment, 'old'),
      }),
    )
    const commitments = dealt.map(({ commitment }) => commitment)
    const deals = dealt.map(({ deal }) => deal)
    const complaints = after.flatMap((keys) =>
      complain({
        session: wanted,
        commitments,
        deals,
        signingKey: keys.statementKey,
        encryptionKey: keys.committeeSecret(deployment, purpose),
        random: platformRandom,
      }),
    )
    const { file, key } = readCommittee(
      JSON.parse(
        JSON.stringify({
          format: 'sealpool/node-committee',
          version: 1,
          session: wanted,
          transcript: { commitments, deals, complaints },
        }),
      ),
      'new',
    )
    expect(key.publicKey).toBe(old.key.publicKey)
    const { envelope, label } = old
    const partials = after.slice(1).map((keys) => {
      const [served] = servedParts({
        config: {
          chain: { deployment },
          committee: { roots: [{ committee: file, envelope, configs: [digestOfDigit('8')] }], reshares: [] },
        },
        keys,
        random: platformRandom,
      })
      return served?.part()
    })
    const bytes = Uint8Array.from(Buffer.from(envelope, 'base64url'))
    expect(combinePartialDecryptions({ key, envelope: bytes, label, partials }).plaintext).toEqual(root)
    // The parts are those of the new committee: under the old one's keys they are none.
    expect(() => combinePartialDecryptions({ key: old.key, envelope: bytes, label, partials })).toThrow()
  })

  it('not in a session that its settings do not name', async () => {
    await expect(requireReshare(asked({ allowed: [] }))).rejects.toMatchObject(refused('committee.reshares'))
    const other = thresholdSessionDigest(session({ threshold: 3 }))
    await expect(requireReshare(asked({ allowed: [other] }))).rejects.toThrow(
      thresholdSessionDigest(session()),
    )
  })

  it('not while the registry lists it with other settings, or not at all', async () => {
    const chain = listedNodes()
    await expect(requireReshare(asked({ chain }))).rejects.toMatchObject(refused('committee.reshares'))
    const otherSettings = openKeyRing(new Uint8Array(32).fill(1), digestOfDigit('2'))
    await expect(requireReshare(asked({ keys: otherSettings }))).rejects.toMatchObject(
      refused('committee.reshares'),
    )
  })

  it('not of another key than the one that it holds a share of, nor for a new key', async () => {
    const other = committeeCeremony({ members: before, threshold: 2, root, deployment })
    const place = refused('session.previous')
    await expect(requireReshare(asked({ held: other.key }))).rejects.toMatchObject(place)
    await expect(requireReshare(asked({ session: session({ previous: null }) }))).rejects.toMatchObject(place)
  })

  it.each([
    ['chain', { chainId: 1 }],
    ['registry', { registry: `0x${'22'.repeat(20)}` as const }],
  ])('not for another %s than that of its settings', async (_, place) => {
    const moved = session({ ...place, previous: { ...old.key, ...place } })
    await expect(
      requireReshare(asked({ session: moved, held: { ...old.key, ...place } })),
    ).rejects.toMatchObject(refused('session'))
  })

  it('not to a machine that the registry does not list as active', async () => {
    const place = refused('session.members[2]')
    const gone = asked()
    const chain = listedNodes()
    chain.allowed.add('0x01')
    for (const { statementAddress, keySetDigest } of after.slice(0, 2))
      chain.nodes.set(statementAddress, { keySetDigest, measurement: '0x01', active: true })
    await expect(requireReshare({ ...gone, chain })).rejects.toMatchObject(place)
    const { statementAddress, keySetDigest } = ring(4)
    chain.nodes.set(statementAddress, { keySetDigest, measurement: '0x02', active: true })
    await expect(requireReshare({ ...gone, chain })).rejects.toMatchObject(place)
  })

  it('not to a key that no card of the member names', async () => {
    const place = refused('session.members[2]')
    await expect(requireReshare(asked({ cards: cards.slice(0, 2) }))).rejects.toMatchObject(place)
    const stranger = memberCard(ring(5), deployment, purpose)
    const named = session({
      members: [
        ...session().members.slice(0, 2),
        { address: ring(4).statementAddress, encryptionKey: stranger.encryptionKey },
      ],
    })
    await expect(requireReshare(asked({ session: named }))).rejects.toMatchObject(place)
  })
})

describe('the card of a member', () => {
  const expected = { ...deployment, purpose }
  const card = memberCard(first, deployment, purpose)

  it('is read as it was made', () => {
    expect(readMemberCard(JSON.parse(JSON.stringify(card)), 'card', expected)).toEqual(card)
  })

  it.each<[string, object]>([
    ['of another purpose', memberCard(first, deployment, committeePurpose('another'))],
    ['of another chain', memberCard(first, { ...deployment, chainId: 1 }, purpose)],
    [
      'of another registry',
      memberCard(first, { ...deployment, nodeRegistry: `0x${'22'.repeat(20)}` }, purpose),
    ],
    [
      'whose key was changed',
      { ...card, encryptionKey: memberCard(second, deployment, purpose).encryptionKey },
    ],
    ['with the address of another', { ...card, address: second.statementAddress }],
    ['with a signature that is none', { ...card, signature: `0x${'00'.repeat(65)}` }],
    ['with a field more', { ...card, more: 1 }],
    ['of the earlier form', { ...card, version: 1 }],
  ])('%s is refused', (_, wrong) => {
    expect(() => readMemberCard(wrong, 'card', expected)).toThrow(
      expect.objectContaining({ code: 'COMMITTEE_INVALID', place: 'card' }),
    )
  })
})
