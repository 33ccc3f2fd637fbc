import { describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { headsPool, headsWorld, nodeRing, ringOf, signerOf } from '../testing/heads-world.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { signHeadQuestion, signStateHead } from './state-head.js'

const sign = signerOf(nodeRing)
const stranger = signerOf(ringOf(6))
const headAt = (version: number, { line = 0, digit = '1', by = sign } = {}) =>
  signStateHead(by, {
    line,
    version,
    state: digestOfDigit(digit),
    budgets: [{ pool: headsPool, version: 1, head: digestOfDigit('2') }],
  })

async function keeperWorld(change: Parameters<typeof headsWorld>[1] = {}) {
  const world = await headsWorld(1, change)
  const [peer] = world.peers
  if (peer === undefined) throw new Error('there is no peer')
  const ask = (by = sign, keeper = peer.ring.keySetDigest, at = world.clock.now) =>
    peer.keeper.ask(signHeadQuestion(by, { keeper, at }))
  const keep = ({ signed }: ReturnType<typeof headAt>, previous?: ReturnType<typeof headAt>) =>
    peer.keeper.keep(JSON.parse(JSON.stringify(signed)), previous?.mark.digest ?? null)
  return { ...world, peer, ask, keep }
}

describe('a keeper', () => {
  it('keeps the newest head of a node, over its own restart', async () => {
    const { ask, keep, peer } = await keeperWorld()
    expect(await ask()).toEqual({ state: 'known', head: null, conflict: null })
    const [first, second] = [headAt(3), headAt(9)]
    expect(await keep(first)).toEqual({ state: 'kept' })
    expect(await keep(second, first)).toEqual({ state: 'kept' })
    await peer.reopen()
    expect(await ask()).toEqual({ state: 'known', head: second.signed, conflict: null })
    // The same once more is no news.
    const { version } = peer.store.head()
    expect(await keep(second, first)).toEqual({ state: 'kept' })
    expect(peer.store.head().version).toBe(version)
  })

  it('never goes back, and goes on only from what it has', async () => {
    const { ask, keep } = await keeperWorld()
    const [early, kept] = [headAt(3), headAt(9)]
    await keep(kept)
    const differs = { state: 'differs', head: kept.signed }
    expect(await keep(early, kept)).toEqual(differs)
    expect(await keep(headAt(10), early)).toEqual(differs)
    expect(await keep(headAt(10))).toEqual(differs)
    expect(await ask()).toMatchObject({ head: kept.signed })
    // Another line begins its versions where it likes, and ends the one before.
    const restored = headAt(2, { line: 1 })
    expect(await keep(restored, kept)).toEqual({ state: 'kept' })
    expect(await keep(headAt(99), restored)).toEqual({ state: 'differs', head: restored.signed })
  })

  it('goes on from nothing only for a node that believes the same', async () => {
    const { ask, keep } = await keeperWorld()
    expect(await keep(headAt(4), headAt(3))).toEqual({ state: 'differs', head: null })
    expect(await ask()).toMatchObject({ head: null })
  })

  it('keeps both of two heads that differ under one version, the first such pair, and shows them to anybody', async () => {
    const { ask, audited, keep, peer } = await keeperWorld()
    const [one, other] = [headAt(5), headAt(5, { digit: '3' })]
    await keep(one)
    expect(await peer.keeper.conflicts()).toEqual([])
    expect(await keep(other, one)).toEqual({ state: 'differs', head: one.signed })
    await keep(headAt(5, { digit: '4' }), one)
    await keep(headAt(6), one)
    await peer.reopen()
    const statements = [one.signed, other.signed]
    expect(await peer.keeper.conflicts()).toEqual([{ node: nodeRing.statementAddress, statements }])
    expect(await ask()).toEqual({ state: 'known', head: headAt(6).signed, conflict: statements })
    expect(peer.keeper.figures()).toEqual({ kept_heads_contradicted: 1 })
    expect(audited).toEqual([
      { event: 'head-contradicted', facts: { node: nodeRing.statementAddress, line: 0, version: 5 } },
    ])
  })

  it('answers and keeps nothing for a node that its settings do not name', async () => {
    const { ask, keep, peer } = await keeperWorld()
    const refused = { state: 'refused', reason: 'NOT_NAMED' }
    expect(await ask(stranger)).toEqual(refused)
    expect(await keep(headAt(3, { by: stranger }))).toEqual(refused)
    expect(peer.store.image().meta.size).toBe(0)
  })

  it('keeps nothing of a node that is not attested, that is silent, or while its own state may be old', async () => {
    for (const [code, answer] of [
      ['PEER_NOT_ATTESTED', { state: 'refused', reason: 'NODE_NOT_ATTESTED' }],
      ['NODE_UNREACHABLE', { state: 'later', reason: 'NODE_SILENT' }],
    ] as const) {
      const attest = () => Promise.reject(new NodeError(code, 'x', 'no'))
      const { errors, keep, peer } = await keeperWorld({ attest })
      expect(await keep(headAt(3))).toEqual(answer)
      expect([errors, peer.store.image().meta.size]).toEqual([[code], 0])
    }
    const { ask, keep } = await keeperWorld({ mayKeep: () => false })
    expect(await keep(headAt(3))).toEqual({ state: 'later', reason: 'KEEPER_NOT_WORKING' })
    // What it knows it says all the same: the other one may wait for it, and it for the other one.
    expect(await ask()).toMatchObject({ state: 'known' })
  })

  it('answers no question that was put to another one, or long ago', async () => {
    const { ask, clock, peer } = await keeperWorld()
    const stale = { state: 'refused', reason: 'QUESTION_STALE' }
    const own = peer.ring.keySetDigest
    expect(await ask(sign, digestOfDigit('8'))).toEqual(stale)
    for (const seconds of [-301, 301]) expect(await ask(sign, own, clock.now + seconds)).toEqual(stale)
    for (const seconds of [-300, 300])
      expect(await ask(sign, own, clock.now + seconds)).toMatchObject({ state: 'known' })
  })

  it('takes neither for the other, nor what is none', async () => {
    const { clock, peer } = await keeperWorld()
    const invalid = { state: 'refused', reason: 'STATEMENT_INVALID' }
    const question = signHeadQuestion(sign, { keeper: peer.ring.keySetDigest, at: clock.now })
    for (const value of [null, {}, 'x', headAt(3).signed, { ...question, signature: '0x' }])
      expect(await peer.keeper.ask(value)).toEqual(invalid)
    for (const value of [null, {}, question, headAt(3).head])
      expect(await peer.keeper.keep(value, null)).toEqual(invalid)
  })
})
