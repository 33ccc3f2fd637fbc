import { fileURLToPath } from 'node:url'
import { BlobStoreError } from '@sealpool/client'
import { type Digest, deriveKeyPair, hpkeRecipient, type JsonObject } from '@sealpool/crypto'
import {
  agreeOnVerdict,
  DEFAULT_FARMING_RULE,
  parsePocVerdict,
  type Rescoring,
  type VerdictContext,
  verdictDigest,
  verifyRescoring,
} from '@sealpool/poc'
import { bundlePoc } from '@sealpool/poc/bundle'
import type { JobRuntime } from '@sealpool/sandbox'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { copiesOf } from '../own-copy/copies-of.js'
import type { OwnCopies } from '../own-copy/own-copies.js'
import { rescoredAgreements, rescoredVerdicts, rescoringStatements } from '../state/rescoring-table.js'
import { disputesFrom, findAgreement } from '../state/verdict-agreement-table.js'
import { keys } from '../testing/job-fixture.js'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { tampered, tooSlow, validatorPeers } from '../testing/validator-peers.js'
import { eraseWithdrawn } from './erase-withdrawn.js'
import { rescoreContributions } from './rescore-contributions.js'
import type { ServedPool } from './served-pool.js'

let world: Awaited<ReturnType<typeof judgingWorld>>
let next: ServedPool['poc']

beforeAll(async () => {
  world = await judgingWorld(memoryStores())
  next = await bundlePoc({
    entry: fileURLToPath(new URL('../testing/fixture/busy-days-proof.ts', import.meta.url)),
  })
})
afterAll(() => world.close())
beforeEach(() => world.reset())

const { publicKey } = deriveKeyPair(new Uint8Array(32).fill(4))
const others = { quality: 0.5, score: 0.125 }
const honest = () => [world.runtime, world.runtime]
/** The pool votes for another proof, and so for another policy. */
function upgrade(rules: Partial<ServedPool> = {}): void {
  const { policyDigest, poc } = world.pool()
  world.rule({
    policyDigest: digestOfDigit('9'),
    poc: next,
    rescoring: { earlier: [{ policyDigest, poc: poc.digest }], share: 1, rule: 'difference' },
    ...rules,
  })
}
const settle = () =>
  world
    .context()
    .store.query(
      `update contributions set state = case when reason is null then 'recorded' else 'refused' end where state = 'judged'`,
    )
/** Of person 6, a near copy of it, and of person 1, of a later epoch: judged by the first proof, recorded. */
async function threeJudged(): Promise<void> {
  await world.contribute('1', { days: daysOf(6) })
  await world.contribute('2', { days: daysOf(10, 27, 6) })
  await world.contribute('3', { days: daysOf(1), epoch: 2 })
  await world.judge()
  await settle()
}
const step = () =>
  rescoreContributions({ ingest: world.context(), audit: { write: () => undefined } }, world.pool())
/** Steps until nothing is left to do now; each by another process of the node. */
async function rescore(): Promise<void> {
  for (let round = 0; (await step()) > 0; round += 1) {
    if (round > 50) throw new Error('it does not end')
    world.start(world.context().store)
  }
}
async function statements(): Promise<readonly Rescoring[]> {
  const { store, sign } = world.context()
  const { chainId, nodeRegistry: registry } = sign.deployment
  const pool = world.pool().address
  return (await rescoringStatements(store, pool, 1)).map(
    (statement) =>
      verifyRescoring(statement, {
        chainId,
        registry,
        pool,
        poc: next.digest,
        validators: [keys.statementAddress],
      }).rescoring,
  )
}
async function only(): Promise<Rescoring> {
  const [rescoring, ...more] = await statements()
  if (rescoring === undefined || more.length > 0) throw new Error(`${more.length} statements more`)
  return rescoring
}
const dueOf = async (id: string) => {
  const [row] = await world
    .context()
    .store.query('select state, reason from rescored where contribution = $1', [id])
  return row
}
/** Counts again with nothing but what is served, and what the chain says of the contribution. */
const countedAgain = async (id: string) => {
  const [record, ...more] = await rescoredAgreements(world.context().store, id)
  if (record === undefined || more.length > 0) throw new Error(`one agreement on ${id}`)
  const { threshold, statements: signed, poc, validators, commitment, inputs, earlierPolicy } = record
  if (earlierPolicy === undefined) throw new Error('it says that it is judged again')
  return agreeOnVerdict({
    statements: signed,
    threshold,
    pool: world.pool().address,
    contribution: id,
    poc,
    validators,
    context: {
      chainId: world.pool().chainId,
      registry: world.context().sign.deployment.nodeRegistry,
      subject: `0x${BigInt(id).toString(16).padStart(64, '0')}`,
      commitment,
      inputs,
      earlierPolicy,
    },
  })
}

describe('what an earlier proof accepted, in a pool with validators', () => {
  it('is judged again by all, each of its epochs: what they agree on stands in the statement, and anybody counts again', async () => {
    await threeJudged()
    upgrade()
    await rescore()
    const alone = await only()
    await world
      .context()
      .store.run('truncate rescoring_runs, rescored, rescored_verdicts, rescoring_statements')
    await world.context().store.run('truncate earlier_rewards')

    const { errors, validators } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    await rescore()
    expect(errors).toEqual([])
    const { entries, left } = await only()
    expect(left).toEqual([])
    expect(entries).toEqual(alone.entries)
    for (const { contribution, after } of entries) {
      const counted = await countedAgain(contribution)
      expect(counted).toMatchObject({ status: 'agreed', agreeing: validators })
      if (counted.verdict === undefined) throw new Error('they agreed')
      expect(verdictDigest(counted.verdict)).toBe(after.verdict)
      // The first verdict was the home's alone, and stays so.
      expect(await findAgreement(world.context().store, contribution)).toBeUndefined()
    }
  })

  it('is scaled by no farming rule again: what of the new score counts follows from the first', async () => {
    const farming = { ...DEFAULT_FARMING_RULE, clusterFrom: 0.3, periodSeconds: 3_600 }
    world.rule({ farming })
    await threeJudged()
    const share = (await world.verdictOn('2')).evidence.find(({ check }) => check === 'pool.farming')?.degree
    upgrade({ farming })
    const { errors } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    await rescore()
    expect(errors).toEqual([])
    const [, copy] = (await only()).entries
    expect(share).toBeLessThan(1)
    expect(copy?.after.worth).toBe(Math.floor((copy?.after.score ?? 0) * (share ?? 1)))
  })

  it('has verdicts that are no first ones by the same proof', async () => {
    await threeJudged()
    upgrade()
    const { peers } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    const unsaid = new Set<string>()
    for (const peer of peers)
      peer.answers = (answer, body) => {
        const items = body['items'] as { told: { rescored?: { policy: string } } }[]
        for (const { told } of items) unsaid.add(told.rescored?.policy ?? 'none')
        return answer
      }
    await rescore()
    const { rescoring } = world.pool()
    expect([...unsaid]).toEqual([rescoring?.earlier[0]?.policyDigest])
    const [record] = await rescoredAgreements(world.context().store, '1')
    if (record === undefined) throw new Error('they agreed')
    const { validators, threshold, statements: signed, commitment } = record
    const about = {
      pool: world.pool().address,
      contribution: '1',
      poc: next.digest,
      validators,
      threshold,
      context: {
        chainId: world.pool().chainId,
        registry: world.context().sign.deployment.nodeRegistry,
        subject: `0x${'1'.padStart(64, '0')}` as const,
        commitment,
        inputs: digestOfDigit('1'),
      },
    }
    const countedOver = (context: Partial<VerdictContext>) =>
      agreeOnVerdict({ ...about, context: { ...about.context, ...context }, statements: signed }).status
    const { inputs, earlierPolicy = digestOfDigit('2') } = record
    expect(earlierPolicy).toBe(rescoring?.earlier[0]?.policyDigest)
    expect(countedOver({ inputs, earlierPolicy })).toBe('agreed')
    // Nobody takes it for a first verdict, or for one on what was sealed under another policy.
    expect(countedOver({ inputs })).not.toBe('agreed')
    expect(countedOver({ inputs, earlierPolicy: digestOfDigit('3') })).not.toBe('agreed')
    expect(countedOver({ earlierPolicy })).not.toBe('agreed')
  })

  it('is nothing of which questions or records hold data', async () => {
    await world.contribute('1', { days: daysOf(77), account: 'canary-account' })
    await world.judge()
    await settle()
    upgrade()
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    await rescore()
    expect((await only()).entries).toHaveLength(1)
    const told = [
      await rescoredAgreements(world.context().store, '1'),
      await rescoredVerdicts(world.context().store, '1'),
      ...peers.flatMap(({ asked }) => asked),
    ]
    for (const one of told)
      for (const canary of ['canary-account', '77-1', '39500'])
        expect(JSON.stringify(one)).not.toContain(canary)
  })

  it('leaves nothing of what they said when it is erased', async () => {
    await threeJudged()
    upgrade()
    validatorPeers(world, { threshold: 2, runtimes: [world.runtime, tampered(world.runtime, others)] })
    await rescore()
    const { store } = world.context()
    expect((await disputesFrom(store, 1, 10))[0]?.evidence).not.toBeNull()
    for (const id of ['1', '2', '3']) await world.withdraw(id)
    await eraseWithdrawn(world.context(), new Map([[world.pool().address, world.pool()]]))
    expect(await rescoredAgreements(store, '1')).toEqual([])
    expect((await disputesFrom(store, 1, 10)).map(({ evidence }) => evidence)).toEqual([null, null, null])
  })
})

describe('one of three who says something else', () => {
  it('is outvoted and recorded', async () => {
    await threeJudged()
    upgrade()
    const { peers, facts } = validatorPeers(world, {
      threshold: 2,
      runtimes: [world.runtime, tampered(world.runtime, others)],
    })
    await rescore()
    const [same] = (await only()).entries
    expect(same?.after.score).toBe(10_000)
    const liar = peers[1]?.keys.statementAddress ?? ''
    expect((await countedAgain('1')).agreeing).not.toContain(liar)
    expect(facts.map(({ event, facts: { contribution } }) => [event, contribution])).toEqual(
      ['1', '2', '3'].map((id) => ['verdict-disputed', id]),
    )
  })

  it('also when it is the home: the statement says what the others agree on', async () => {
    await threeJudged()
    upgrade()
    const { home } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    world.runIn(
      tampered(world.runtime, { valid: false, score: 0, refusal: { code: 'TOO_SHORT', place: 'x' } }),
    )
    await rescore()
    const { entries } = await only()
    expect(entries.map(({ after }) => after.refused)).toEqual([false, false, false])
    expect((await countedAgain('1')).agreeing).not.toContain(home.statementAddress)
    const [own] = await rescoredVerdicts(world.context().store, '1')
    if (own === undefined) throw new Error('it is stored')
    expect(verdictDigest(parsePocVerdict(own.statement.body))).toBe(entries[0]?.after.verdict)
  })

  it('and what a clock ended at home alone counts as the others have it', async () => {
    await threeJudged()
    upgrade()
    validatorPeers(world, { threshold: 2, runtimes: honest() })
    world.runIn(tooSlow(world.runtime))
    await rescore()
    expect((await only()).entries.map(({ after }) => after.refused)).toEqual([false, false, false])
    expect(await disputesFrom(world.context().store, 1, 10)).toEqual([])
  })

  it('and what a clock ended everywhere is no verdict', async () => {
    await world.contribute('1', { days: daysOf(6) })
    await world.judge()
    await settle()
    upgrade()
    validatorPeers(world, { threshold: 2, runtimes: [tooSlow(world.runtime), tooSlow(world.runtime)] })
    world.runIn(tooSlow(world.runtime))
    await rescore()
    expect(await only()).toMatchObject({ entries: [], left: [{ contribution: '1', reason: 'POC_TIMEOUT' }] })
  })
})

describe('without an agreement', () => {
  /** How often the proof ran at home. */
  const counting = () => {
    const counted = { runs: 0 }
    const { runtime } = world
    world.runIn({
      ...runtime,
      run: (asked) => {
        counted.runs += asked.entry === 'evaluate' ? 1 : 0
        return runtime.run(asked)
      },
    } as JobRuntime)
    return counted
  }

  it('nothing is signed while too few are there, and no further contribution is opened in vain', async () => {
    await threeJudged()
    upgrade()
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    const counted = counting()
    for (const peer of peers) peer.away = true
    for (let round = 0; round < 12; round += 1) {
      await rescore()
      world.wait(2)
      await rescore()
      expect(counted.runs).toBe(round + 1)
      world.wait(298)
    }
    expect(await statements()).toEqual([])
    expect(await world.countOf('rescored_verdicts')).toBe(0)
    for (const peer of peers) peer.away = false
    world.wait(600)
    await rescore()
    expect((await only()).entries).toHaveLength(3)
  })

  it('nor while a validator’s settings do not have the older policy: what it was sealed under is none of its', async () => {
    await threeJudged()
    const { policyDigest, poc } = world.pool()
    upgrade({ rescoring: null })
    const { errors } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    const rescoring = { earlier: [{ policyDigest, poc: poc.digest }], share: 1, rule: 'keep' } as const
    world.rule({ ...world.pool(), rescoring })
    const counted = counting()
    for (let seconds = 0; seconds < 3_000; seconds += 30) {
      await rescore()
      world.wait(30)
    }
    // More and more seldom, up to five minutes: nobody but an operator ends it.
    expect(counted.runs).toBeGreaterThan(10)
    expect(counted.runs).toBeLessThan(20)
    expect(await statements()).toEqual([])
    expect(await world.countOf(`rescored where state = 'due'`)).toBe(3)
    expect(errors.join()).toContain('RESCORING_NOT_SERVED')
    // New settings: another panel, as after a start.
    world.wait(300)
    validatorPeers(world, { threshold: 3, runtimes: honest() })
    await rescore()
    expect((await only()).entries).toHaveLength(3)
  })

  it.each([
    ['who never get its file', 'VALIDATORS_LACK_FILE', 'BLOB_AWAY'],
    ['who sign nothing for another reason', 'VALIDATORS_WITHHOLD', 'HEADER_UNFIT'],
  ])('of validators %s one is left out in the end, and the others are not', async (_, reason, said) => {
    await threeJudged()
    upgrade()
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    for (const peer of peers)
      peer.answers = (answer) => ({
        ...answer,
        answers: (answer['answers'] as JsonObject[]).map((one) =>
          one['id'] === '2' ? { ...one, statement: null, reason: said } : one,
        ),
      })
    await rescore()
    expect(await dueOf('1')).toMatchObject({ state: 'judged' })
    expect(await dueOf('2')).toMatchObject({ state: 'due' })
    let seconds = 0
    while ((await dueOf('2'))?.['state'] === 'due' && seconds < 100_000) {
      seconds += 10
      world.wait(10)
      await rescore()
    }
    expect(seconds).toBe(3_810)
    const { entries, left } = await only()
    expect(entries.map(({ contribution }) => contribution)).toEqual(['1', '3'])
    expect(left).toEqual([{ contribution: '2', reason }])
  })

  it('of validators who contradict each other to the end it is left out, with the disputes', async () => {
    await world.contribute('1', { days: daysOf(6) })
    await world.judge()
    await settle()
    upgrade()
    validatorPeers(world, {
      threshold: 2,
      runtimes: [tampered(world.runtime, others), tampered(world.runtime, { quality: 0.25, score: 0.5 })],
    })
    for (let round = 0; round < 8; round += 1) {
      await rescore()
      world.wait(4_000)
    }
    expect((await only()).left).toEqual([{ contribution: '1', reason: 'VALIDATORS_DISAGREE' }])
    expect(await disputesFrom(world.context().store, 1, 10)).toHaveLength(2)
  })

  it('of one account another counts that was judged meanwhile', async () => {
    world.rule({ accountRule: 'merge' })
    await world.contribute('1', { days: daysOf(6), account: 'ann' })
    await world.contribute('2', { days: daysOf(7), account: 'ann', owner: addressOfDigit('2') })
    await world.judge()
    await settle()
    upgrade({ accountRule: 'first-wallet' })
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    let isWithheld = true
    for (const peer of peers)
      peer.answers = (answer) => ({
        ...answer,
        answers: (answer['answers'] as JsonObject[]).map((one) =>
          isWithheld && one['id'] === '1' ? { ...one, statement: null, reason: 'BY_THE_CLOCK' } : one,
        ),
      })
    await rescore()
    expect(await dueOf('2')).toMatchObject({ state: 'judged' })
    isWithheld = false
    world.wait(31)
    await rescore()
    expect((await only()).entries.map(({ after }) => after.refused)).toEqual([true, false])
  })

  it('of a file that no question holds there is none, and nobody is asked', async () => {
    const more = Array.from({ length: 150 }, (_, index) =>
      hpkeRecipient({ publicKey, keyId: `friend-${index}` }),
    )
    await world.contribute('1', { days: daysOf(6), more })
    await world.judge()
    await settle()
    upgrade()
    const { peers } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    await rescore()
    expect((await only()).left).toEqual([{ contribution: '1', reason: 'SEALED_FILE_INVALID' }])
    expect(peers.flatMap(({ asked }) => asked)).toEqual([])
  })

  it('of a file that its owner’s store gives the home alone they find a copy at the next try', async () => {
    await world.contribute('1', { days: daysOf(6) })
    await world.judge()
    await settle()
    upgrade()
    const { store, blobStore } = world.context()
    const [row] = await store.query('select blob_digest from contributions where id = 1')
    const digest = String(row?.['blob_digest']) as Digest
    const given = await blobStore.get(digest, { maximumBytes: 1_000_000 })
    await blobStore.remove(digest)
    await store.query('update contributions set locator = $1 where id = 1', [
      `https://own.example/${digest.slice('sha256:'.length)}`,
    ])
    const silent: OwnCopies = {
      get: () => Promise.reject(new BlobStoreError('BLOB_MISSING', 'locator', 'it does not answer')),
    }
    const own = { ownCopies: { get: async () => given } satisfies OwnCopies }
    validatorPeers(world, {
      threshold: 3,
      runtimes: honest(),
      change: { blobStore: copiesOf({ blobStore, ownCopies: silent }, { keep: 'escrow' }) },
    })
    const ingest = () => Object.assign(world.context(), own)
    const once = () =>
      rescoreContributions({ ingest: ingest(), audit: { write: () => undefined } }, world.pool())
    expect(await once()).toBe(1)
    expect(await dueOf('1')).toMatchObject({ state: 'due' })
    world.wait(31)
    expect(await once()).toBe(1)
    expect(await dueOf('1')).toMatchObject({ state: 'judged' })
  })

  it('a node that was opened without them judges nothing again', async () => {
    await threeJudged()
    upgrade()
    validatorPeers(world, { threshold: 2, runtimes: honest() })
    world.validateWith(undefined)
    await expect(rescore()).rejects.toThrow(NodeError)
    expect(await world.countOf('rescored_verdicts')).toBe(0)
  })
})
