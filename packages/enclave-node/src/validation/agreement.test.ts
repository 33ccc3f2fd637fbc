import type { JsonObject } from '@sealpool/crypto'
import { agreeOnVerdict, checkDispute, type PocVerdict } from '@sealpool/poc'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findContribution } from '../state/contribution-table.js'
import { disputesFrom, disputesOn, findAgreement } from '../state/verdict-agreement-table.js'
import { findVerdict, unrecordedBatches } from '../state/verdict-table.js'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { tampered, tooSlow, validatorPeers } from '../testing/validator-peers.js'

let world: Awaited<ReturnType<typeof judgingWorld>>

beforeAll(async () => {
  world = await judgingWorld(memoryStores())
})
afterAll(() => world.close())
beforeEach(() => world.reset())

const others = { quality: 0.5, score: 0.125 }
const farming = {
  noveltyFloor: 0.1,
  clusterDecay: 0.5,
  identityDecay: 1,
  identityCap: 10,
  clusterCap: 2,
  clusterFrom: 0.3,
  periodSeconds: 86_400,
}
const honest = () => [world.runtime, world.runtime]
const rowOf = (id: string) => findContribution(world.context().store, id)
const agreementOn = async (id: string) => {
  const record = await findAgreement(world.context().store, id)
  if (record === undefined) throw new Error(`no agreement on ${id}`)
  return record
}

/** Counts again with nothing but what is served, and what the chain says of the contribution. */
const countedAgain = async (id: string) => {
  const { threshold, statements, ...about } = await agreementOn(id)
  const { pool, chainId } = { pool: world.pool().address, chainId: world.pool().chainId }
  return agreeOnVerdict({
    statements,
    threshold,
    pool,
    contribution: id,
    poc: about.poc,
    validators: about.validators,
    context: {
      chainId,
      registry: world.context().sign.deployment.nodeRegistry,
      subject: `0x${BigInt(id).toString(16).padStart(64, '0')}`,
      commitment: about.commitment,
      inputs: about.inputs,
    },
  })
}

describe('validators who agree', () => {
  it('are recorded beside the verdict, which anybody can count again', async () => {
    const { validators } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    const agreed = await countedAgain('1')
    expect(agreed.status).toBe('agreed')
    expect(agreed.agreeing).toEqual(validators)
    expect(agreed.verdict).toEqual(await world.verdictOn('1'))
    expect(await disputesFrom(world.context().store, 1, 10)).toEqual([])
  })

  it('come to the same on near copies, copies, what has expired, and what does not open', async () => {
    world.rule({ farming })
    const { errors } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    await world.contribute('1', { days: daysOf(1), account: 'a' })
    await world.contribute('2', { days: daysOf(2, 20, 1) })
    await world.contribute('3', { days: daysOf(1), account: 'a' })
    await world.contribute('4', { days: daysOf(4), expires: 0 })
    await world.contribute('5', { days: daysOf(5), account: 'a' })
    await world.contribute('6', { days: daysOf(6) })
    await world.spoil('6', (sealed) => sealed.fill(1, sealed.length - 4))
    await world.contribute('7', { days: daysOf(7) })
    await world.spoil('7', () => new Uint8Array([1, 2, 3]))
    await world.contribute('8', { days: daysOf(8) })
    await world
      .context()
      .store.run(`update contributions set locator = 'sha256:${'0'.repeat(64)}' where id = 8`)
    await world.contribute('9', { days: daysOf(9) })
    await world.context().store.run(`update contributions set epoch = 2 where id = 9`)
    await world.judge()
    expect(errors).toEqual([])
    const codes = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map(async (id) => {
        expect((await countedAgain(String(id))).agreeing).toHaveLength(3)
        return (await world.verdictOn(String(id))).refusal?.code
      }),
    )
    expect(codes).toEqual([
      undefined,
      undefined,
      'DUPLICATE_CONTENT',
      'EXPIRED',
      'ACCOUNT_OF_ANOTHER_WALLET',
      'SEALED_FILE_TAMPERED',
      'SEALED_FILE_INVALID',
      'BLOB_MISSING',
      'WRONG_EPOCH',
    ])
    expect(await world.noveltyOf('2')).toBeLessThan(0.5)
    expect((await world.verdictOn('2')).evidence.at(-1)?.check).toBe('pool.farming')
  })
})

describe('what was rewarded before', () => {
  it.each([
    ['without a farming rule', null],
    ['after the farming rule', farming],
  ])('is told to all, signed by all, and taken off by each (%s)', async (_, rule) => {
    world.rule({ farming: rule })
    const { errors, peers } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    const owner = addressOfDigit('a')
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2, 10, 1), owner })
    await world.judge()
    const { score: first } = await world.verdictOn('2')
    await world.contribute('3', { days: daysOf(3), owner })
    await world.withdraw('2', { replacedBy: '3' })
    await world.judge()
    expect(errors).toEqual([])
    const { score, evidence } = await world.verdictOn('3')
    expect(first + score).toBeCloseTo(1, 10)
    expect(first).toBeGreaterThan(0)
    expect(score).toBeGreaterThan(0)
    expect(evidence.at(-1)).toMatchObject({ check: 'pool.rewarded', degree: first })
    expect((await countedAgain('3')).agreeing).toHaveLength(3)
    expect(JSON.stringify(peers[0]?.asked)).toContain('"rewarded":')
  })
})

describe('one of three who says something else', () => {
  const disputed = async (liar: string) => {
    const [dispute, ...more] = await disputesOn(world.context().store, '1')
    expect(more).toEqual([])
    if (dispute?.evidence == null) throw new Error('there is evidence')
    const { statements, expected } = dispute.evidence
    const shown = checkDispute(
      { statements },
      {
        pool: world.pool().address,
        contribution: '1',
        poc: expected.poc,
        validators: expected.validators,
        context: {
          chainId: world.pool().chainId,
          registry: world.context().sign.deployment.nodeRegistry,
          subject: `0x${'1'.padStart(64, '0')}`,
          commitment: expected.commitment,
          inputs: expected.inputs,
        },
      },
    )
    expect(shown.signers[1]).toBe(liar)
    expect(shown.fields).toEqual(['quality', 'score'])
    expect(dispute.shown).toMatchObject({ signers: shown.signers, digests: shown.digests, kind: 'mismatch' })
  }

  it('is outvoted and recorded', async () => {
    const { peers, facts } = validatorPeers(world, {
      threshold: 2,
      runtimes: [world.runtime, tampered(world.runtime, others)],
    })
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    const liar = peers[1]?.keys.statementAddress ?? ''
    const agreed = await countedAgain('1')
    expect(agreed.verdict?.score).toBe(1)
    expect(agreed.agreeing).not.toContain(liar)
    expect(await world.verdictOn('1')).toEqual(agreed.verdict)
    await disputed(liar)
    expect(facts).toMatchObject([
      {
        event: 'verdict-disputed',
        facts: { contribution: '1', kind: 'mismatch', fields: ['quality', 'score'] },
      },
    ])
  })

  it('also when it is the home itself: the others count, and what they say is what the chain is told', async () => {
    const { home } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    world.runIn(tampered(world.runtime, others))
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2) })
    await world.judge()
    expect((await world.verdictOn('1')).score).toBe(1)
    expect((await rowOf('1'))?.score).toBe(10_000)
    const batches = await unrecordedBatches(world.context().store)
    expect(batches.flatMap(({ entries }) => entries.map(({ score }) => score))).toEqual([10_000, 10_000])
    await disputed(home.statementAddress)
  })

  it('also when the home refuses what the others accept, or the other way round: what comes later is judged by what counts', async () => {
    world.rule({ farming })
    validatorPeers(world, { threshold: 2, runtimes: honest() })
    const refusal = { code: 'EXPIRED', place: 'expires' }
    world.runIn(tampered(world.runtime, { valid: false, score: 0, refusal }))
    await world.contribute('1', { days: daysOf(1) })
    // A copy in the same batch: it was no copy of anything to the home.
    await world.contribute('2', { days: daysOf(1) })
    await world.contribute('3', { days: daysOf(3, 27, 1) })
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject({ valid: true, score: 1 })
    expect(await world.verdictOn('2')).toMatchObject({ refusal: { code: 'DUPLICATE_CONTENT' } })
    expect(await world.noveltyOf('3')).toBeLessThan(0.2)
    expect(await world.countOf('farming_values')).toBe(2)
    world.runIn(tampered(world.runtime, { valid: true, score: 1, refusal: null }))
    await world.contribute('4', { days: daysOf(4), expires: 0 })
    await world.contribute('5', { days: daysOf(5, 27, 4) })
    await world.judge()
    expect(await world.verdictOn('4')).toMatchObject({ valid: false })
    expect(await world.noveltyOf('5')).toBe(1)
  })
})

describe('what a clock ended', () => {
  it('is a refusal when enough say so, and in no dispute with who was faster', async () => {
    const { peers } = validatorPeers(world, {
      threshold: 2,
      runtimes: [tooSlow(world.runtime), world.runtime],
    })
    world.runIn(tooSlow(world.runtime))
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject({ refusal: { code: 'POC_TIMEOUT' } })
    expect((await countedAgain('1')).agreeing).not.toContain(peers[1]?.keys.statementAddress)
    expect(await disputesOn(world.context().store, '1')).toEqual([])
  })

  it('at home alone counts for nothing', async () => {
    validatorPeers(world, { threshold: 2, runtimes: honest() })
    world.runIn(tooSlow(world.runtime))
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject({ valid: true, score: 1 })
    expect(await disputesOn(world.context().store, '1')).toEqual([])
  })
})

describe('without an agreement a contribution waits', () => {
  it('while too few are there, with a reason, and goes on when they are back', async () => {
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    for (const peer of peers) peer.away = true
    for (const id of ['1', '2', '3']) await world.contribute(id, { days: daysOf(Number(id)) })
    await world.judge()
    for (const id of ['1', '2', '3']) {
      expect(await rowOf(id)).toMatchObject({ state: 'seen', reason: 'VALIDATORS_AWAY', attempts: 0 })
      expect(await findVerdict(world.context().store, id)).toBeUndefined()
    }
    expect(await unrecordedBatches(world.context().store)).toEqual([])
    for (const peer of peers) peer.away = false
    await world.judge()
    expect((await rowOf('1'))?.state).toBe('seen')
    world.wait(31)
    await world.judge()
    expect(await rowOf('1')).toMatchObject({ state: 'judged', reason: null })
    expect((await countedAgain('1')).agreeing).toHaveLength(3)
  })

  it('those who fail are left alone for longer and longer', async () => {
    const { peers, panel, errors } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    for (const peer of peers) peer.away = true
    await world.contribute('1', { days: daysOf(1) })
    const waits: number[] = []
    for (let round = 0; round < 10; round += 1) {
      await world.judge()
      const wait = panel.againAt(world.pool()) - world.context().now()
      waits.push(wait)
      world.wait(wait)
    }
    expect(waits).toEqual([30, 30, 30, 30, 32, 64, 128, 256, 256, 256])
    expect(errors).toHaveLength(20)
  })

  it('when all contradict each other, with the disputes recorded once', async () => {
    validatorPeers(world, {
      threshold: 2,
      runtimes: [tampered(world.runtime, others), tampered(world.runtime, { quality: 0.25, score: 0.5 })],
    })
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    expect(await rowOf('1')).toMatchObject({ state: 'seen', reason: 'VALIDATORS_DISAGREE' })
    expect(await disputesOn(world.context().store, '1')).toHaveLength(2)
    world.wait(3_600)
    await world.judge()
    expect(await disputesOn(world.context().store, '1')).toHaveLength(2)
  })

  it('and holds up no other: what is like it is no copy of it', async () => {
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    const withhold = (answer: JsonObject): JsonObject => ({
      ...answer,
      answers: (answer['answers'] as JsonObject[]).map((one) =>
        one['id'] === '1' ? { id: '1', statement: null, reason: 'BLOB_AWAY' } : one,
      ),
    })
    for (const peer of peers) peer.answers = withhold
    for (const id of ['1', '2']) await world.contribute(id, { days: daysOf(1) })
    await world.contribute('3', { days: daysOf(3, 27, 1) })
    await world.judge()
    expect(await rowOf('1')).toMatchObject({ state: 'seen', reason: 'VALIDATORS_LACK_FILE' })
    expect(await world.verdictOn('2')).toMatchObject({ valid: true, uniqueness: 1 })
    for (const peer of peers) peer.answers = undefined
    world.wait(31)
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject({ refusal: { code: 'DUPLICATE_CONTENT' } })
  })

  it('after a stop as before it: nothing is kept but the reason', async () => {
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    for (const peer of peers) peer.answers = () => Promise.reject(new Error('killed'))
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    expect(await world.countOf('verdicts')).toBe(0)
    expect(await world.countOf('content_prints')).toBe(0)
    for (const peer of peers) peer.answers = undefined
    world.wait(60)
    await world.judge()
    expect(await world.countOf('verdicts')).toBe(1)
  })
})

describe('what does not count', () => {
  const statementsOf = (answer: JsonObject) => answer['answers'] as { id: string; statement: JsonObject }[]
  const rejectedAs = async (
    code: string,
    change: (answer: JsonObject, body: JsonObject) => JsonObject | Promise<JsonObject>,
  ) => {
    const { peers, errors, panel } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2) })
    const [first] = peers
    if (first === undefined) throw new Error('there are two')
    first.answers = change
    await world.judge()
    expect((await rowOf('1'))?.reason).toBe('VALIDATORS_AWAY')
    expect(errors.join()).toContain(code)
    expect(panel.rejected()).toBeGreaterThan(0)
    expect(await disputesFrom(world.context().store, 1, 10)).toEqual([])
  }
  const swapped = (change: (one: { id: string; statement: JsonObject }) => unknown) => (answer: JsonObject) =>
    ({
      ...answer,
      answers: statementsOf(answer).map(change),
    }) as JsonObject

  it('a verdict on another contribution', () =>
    rejectedAs('VERDICT_OF_ANOTHER_CONTRIBUTION', (answer) => {
      const [one, two] = statementsOf(answer)
      return { ...answer, answers: [{ ...one, statement: two?.statement }, two] } as unknown as JsonObject
    }))

  it('one of an earlier time, over other inputs', async () => {
    const { peers } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    let old: JsonObject | undefined
    for (const peer of peers)
      peer.answers = (answer) => {
        old ??= answer
        return { state: 'later', reason: 'BUSY' }
      }
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2) })
    await world.judge()
    const kept = old
    if (kept === undefined) throw new Error('it has answered')
    await world.reset()
    world.rule({ verification: { signatures: 5, bytes: 5_000 } })
    await rejectedAs('VERDICT_OVER_OTHER_INPUTS', () => kept)
  })

  it('one that nobody signed, or that a stranger signed', () =>
    rejectedAs(
      'STATEMENT_INVALID',
      swapped((one) => ({ ...one, statement: { ...one.statement, signature: `0x${'1'.repeat(130)}` } })),
    ))

  it('one of another form, however deep', () =>
    rejectedAs(
      'STATEMENT_INVALID',
      swapped((one) => ({
        ...one,
        statement: JSON.parse(`${'['.repeat(900)}${']'.repeat(900)}`) as unknown,
      })),
    ))

  it.each([
    ['another answer', { state: 'judged', answers: 'many' }],
    [
      'too many answers',
      {
        state: 'judged',
        answers: Array.from({ length: 9 }, () => ({ id: '1', statement: null, reason: null })),
      },
    ],
    ['nothing', null],
    ['a refusal', { state: 'refused', reason: 'NOT_ITS_HOME' }],
  ])('%s', async (_, answer) => {
    const { peers, errors } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    await world.contribute('1', { days: daysOf(1) })
    for (const peer of peers) peer.answers = () => answer as never
    await world.judge()
    expect((await rowOf('1'))?.reason).toBe('VALIDATORS_AWAY')
    expect(errors).toHaveLength(2)
  })
})

describe('one who is slow', () => {
  it('holds up nobody once the others agree, and is not asked twice at once', async () => {
    const { peers } = validatorPeers(world, {
      threshold: 2,
      runtimes: honest(),
      grace: async () => undefined,
    })
    const [slow] = peers
    if (slow === undefined) throw new Error('there are two')
    let go: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      go = resolve
    })
    slow.answers = async (answer) => {
      await held
      return answer
    }
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    expect((await countedAgain('1')).agreeing).toHaveLength(2)
    await world.contribute('2', { days: daysOf(2) })
    await world.judge()
    expect((await countedAgain('2')).agreeing).toHaveLength(2)
    expect(slow.asked).toHaveLength(1)
    go()
    await held
  })
})

describe('what is kept of it', () => {
  it('goes with the contribution; that two contradicted each other stays, by digests', async () => {
    validatorPeers(world, { threshold: 2, runtimes: [world.runtime, tampered(world.runtime, others)] })
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    const { store } = world.context()
    expect((await disputesOn(store, '1'))[0]?.evidence).not.toBeNull()
    await world.withdraw('1')
    const { forgetContribution } = await import('../state/withdrawal.js')
    await store.transaction((tx) => forgetContribution(tx, '1'))
    expect(await findAgreement(store, '1')).toBeUndefined()
    const [left] = await disputesOn(store, '1')
    expect(left).toMatchObject({ evidence: null, shown: { fields: ['quality', 'score'] } })
  })

  it('holds no data, and neither does a question', async () => {
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    await world.contribute('1', { days: daysOf(77), account: 'canary-account' })
    await world.judge()
    const record = await agreementOn('1')
    const verdict: PocVerdict = await world.verdictOn('1')
    for (const told of [record, verdict, ...peers.flatMap(({ asked }) => asked)])
      for (const canary of ['canary-account', '77-1', '39500'])
        expect(JSON.stringify(told)).not.toContain(canary)
  })
})
