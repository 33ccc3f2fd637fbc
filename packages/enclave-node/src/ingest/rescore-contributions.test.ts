import { fileURLToPath } from 'node:url'
import { BlobStoreError } from '@sealpool/client'
import { type JsonObject, sha256Digest } from '@sealpool/crypto'
import {
  DEFAULT_FARMING_RULE,
  parsePocVerdict,
  type Rescoring,
  selectForAudit,
  verifyRescoring,
} from '@sealpool/poc'
import { bundlePoc } from '@sealpool/poc/bundle'
import type { JobRuntime, RunResult } from '@sealpool/sandbox'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AuditFact } from '../audit/audit-chain.js'
import { rescoredVerdicts, rescoringStatements } from '../state/rescoring-table.js'
import { undoContributions } from '../state/withdrawal.js'
import { keys } from '../testing/job-fixture.js'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { eraseWithdrawn } from './erase-withdrawn.js'
import type { IngestContext } from './ingest-context.js'
import { rescoreContributions } from './rescore-contributions.js'
import type { ServedPool, ServedRescoring } from './served-pool.js'

const newStore = memoryStores()
let world: Awaited<ReturnType<typeof judgingWorld>>
let next: ServedPool['poc']
let told: AuditFact[]

beforeAll(async () => {
  world = await judgingWorld(newStore)
  next = await bundlePoc({
    entry: fileURLToPath(new URL('../testing/fixture/busy-days-proof.ts', import.meta.url)),
  })
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.reset()
  told = []
})

/** Has the verdicts stand on the chain. */
const settle = () =>
  world
    .context()
    .store.query(
      `update contributions set state = case when reason is null then 'recorded' else 'refused' end where state = 'judged'`,
    )
/** The pool votes for another proof, and so for another policy. */
function upgrade(rescoring: Partial<ServedRescoring> = {}, rules: Partial<ServedPool> = {}): void {
  const { policyDigest, poc } = world.pool()
  const earlier = [{ policyDigest, poc: poc.digest }]
  world.rule({
    policyDigest: digestOfDigit('9'),
    poc: next,
    rescoring: { earlier, share: 1, rule: 'difference', ...rescoring },
    ...rules,
  })
}
const step = (change: Partial<IngestContext> = {}) =>
  rescoreContributions(
    { ingest: { ...world.context(), ...change }, audit: { write: (fact) => void told.push(fact) } },
    world.pool(),
  )
/** Steps until nothing is left to do; each by another process of the node. */
async function rescore(change: Partial<IngestContext> = {}): Promise<void> {
  for (let round = 0; (await step(change)) > 0; round += 1) {
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
const bodyOf = async (id: string) =>
  (await rescoredVerdicts(world.context().store, id)).map(({ statement }) => parsePocVerdict(statement.body))
const scoreOf = async (id: string) =>
  (
    await world
      .context()
      .store.query('select score, verdict_digest, state from contributions where id = $1', [id])
  )[0]

/** Of person 6, a near copy of it, and of person 1: judged by the first proof, recorded. */
async function threeJudged(): Promise<void> {
  await world.contribute('1', { days: daysOf(6) })
  await world.contribute('2', { days: daysOf(10, 27, 6) })
  await world.contribute('3', { days: daysOf(1), epoch: 2 })
  await world.judge()
  await settle()
}

describe('what an earlier proof accepted', () => {
  it('is judged by the present one, of each epoch: both stand side by side, a higher score earns the difference', async () => {
    await threeJudged()
    const before = await Promise.all(['1', '2', '3'].map(scoreOf))
    const first = await world.verdictOn('2')
    upgrade()
    await rescore()
    const rescoring = await only()
    expect(rescoring).toMatchObject({
      number: 1,
      accepted: 3,
      chosen: 3,
      last: true,
      rule: 'difference',
      left: [],
    })
    const [same, better, worse] = rescoring.entries
    expect(same).toMatchObject({
      contribution: '1',
      before: { score: 10_000 },
      after: { score: 10_000 },
      difference: 0,
    })
    // As new as it was: no newer than its first verdict says, and not compared with itself.
    expect(better?.after.score).toBe(Math.round((1 + first.uniqueness) * 5_000))
    expect(better?.difference).toBe((better?.after.score ?? 0) - Number(before[1]?.['score']))
    expect(better?.difference).toBeGreaterThan(1_000)
    expect(worse).toMatchObject({
      contribution: '3',
      before: { score: 10_000 },
      after: { score: 8_438 },
      difference: 0,
    })
    expect(await Promise.all(['1', '2', '3'].map(scoreOf))).toEqual(before)
    expect(await world.verdictOn('2')).toEqual(first)
    expect(rescoring.entries.map(({ before: { verdict } }) => verdict)).toEqual(
      before.map((row) => row?.['verdict_digest']),
    )
    expect(await bodyOf('2')).toMatchObject([{ poc: next.digest, uniqueness: first.uniqueness }])
    expect(told).toEqual([
      { event: 'rescoring-signed', facts: { pool: world.pool().address, number: 1, judged: 3, left: 0 } },
    ])
    // Nothing of it goes to the chain.
    expect(await world.countOf(`verdict_batches where state = 'signed'`)).toBe(1)
  })

  it('is refused where the present refiner does not take it, whatever an earlier release has paid for it', async () => {
    const { runtime } = world
    const refining = (end: RunResult): JobRuntime => ({
      ...runtime,
      run: async (job) => (job.entry === 'refine' ? end : runtime.run(job)),
    })
    world.runIn(refining({ ok: true, output: { tables: { days: [{ day: 'any', steps: 1 }] } }, logs: [] }))
    await world.contribute('1', {
      days: daysOf(6).map((one) => ({ ...one, day: `${one.day}${'-'.repeat(20)}` })),
    })
    await world.judge()
    await settle()
    expect(await world.verdictOn('1')).toMatchObject({ valid: true, score: 1 })
    upgrade()
    // A clock says nothing of it: it is tried again.
    expect(
      await step({
        runtime: refining({ ok: false, code: 'TIMEOUT', message: '', place: 'run' }),
        settings: { ...world.context().settings, missingBlobTries: 3 },
      }),
    ).toBe(1)
    expect(await statements()).toEqual([])
    world.wait(1_000)
    world.runIn(runtime)
    await rescore()
    const { entries } = await only()
    expect(entries).toMatchObject([
      { before: { score: 10_000 }, after: { refused: true, score: 0, worth: 0 }, difference: 0 },
    ])
    expect(await bodyOf('1')).toMatchObject([
      { refusal: { code: 'REFINER_REFUSED', place: 'refiner.VALUE_RANGE' } },
    ])
  })

  it('is only told the new score where the rule is to keep', async () => {
    await threeJudged()
    upgrade({ rule: 'keep' })
    await rescore()
    const { entries, rule } = await only()
    expect(rule).toBe('keep')
    expect(entries.map(({ difference }) => difference)).toEqual([0, 0, 0])
    expect(entries[1]?.after.score).toBeGreaterThan(entries[1]?.before.score ?? 10_000)
    expect(await world.countOf('earlier_rewards')).toBe(0)
  })

  it('counts what it earned when its owner brings a newer version', async () => {
    await threeJudged()
    upgrade()
    await rescore()
    const [, better] = (await only()).entries
    if (better === undefined) throw new Error('no entry')
    await world.withdraw('2', { replacedBy: '4' })
    await world.contribute('4', { days: daysOf(10), owner: addressOfDigit('2') })
    await world.judge()
    const verdict = await world.verdictOn('4')
    expect(verdict.score).toBeCloseTo(1 - (better.before.score + better.difference) / 10_000, 9)
    expect(verdict.evidence.at(-1)).toMatchObject({
      check: 'pool.rewarded',
      degree: (better.before.score + better.difference) / 10_000,
    })
  })

  it('earns by a third proof what that is better than both', async () => {
    await threeJudged()
    const { policyDigest, poc } = world.pool()
    upgrade()
    await rescore()
    const [, second] = (await only()).entries
    // The same rules again under another digest: no better, so nothing more is earned.
    const code = `${next.code}\n`
    const third = { ...next, code, digest: sha256Digest(new TextEncoder().encode(code)) }
    world.rule({
      policyDigest: digestOfDigit('8'),
      poc: third,
      rescoring: { earlier: [{ policyDigest, poc: poc.digest }], share: 1, rule: 'difference' },
    })
    await rescore()
    const { store } = world.context()
    const [, again] = await rescoringStatements(store, world.pool().address, 1)
    const body = again?.statement.body as unknown as Rescoring
    expect([body.number, body.poc]).toEqual([2, third.digest])
    expect(body.entries[1]).toMatchObject({
      before: { score: second?.before.score, rewarded: second?.difference },
      after: { score: second?.after.score },
      difference: 0,
    })
    expect(await rescoredVerdicts(store, '2')).toHaveLength(2)
  })

  it('is worth the share that a farming rule let count first', async () => {
    const farming = { ...DEFAULT_FARMING_RULE, clusterFrom: 0.3, periodSeconds: 3_600 }
    world.rule({ farming })
    await threeJudged()
    const scaled = (await world.verdictOn('2')).evidence.find(({ check }) => check === 'pool.farming')
    expect(scaled?.degree).toBeLessThan(1)
    upgrade({}, { farming })
    await rescore()
    const [, copy] = (await only()).entries
    expect(copy?.after.worth).toBe(Math.floor((copy?.after.score ?? 0) * (scaled?.degree ?? 1)))
  })

  it('is refused by the present proof and keeps what it has', async () => {
    await world.contribute('1', { days: daysOf(6).slice(1) })
    await world.judge()
    await settle()
    upgrade()
    await rescore()
    expect((await only()).entries).toMatchObject([
      { before: { score: 10_000 }, after: { refused: true, score: 0, worth: 0 }, difference: 0 },
    ])
    expect(await bodyOf('1')).toMatchObject([{ valid: false, refusal: { code: 'TOO_SHORT' } }])
    expect((await scoreOf('1'))?.['state']).toBe('recorded')
  })

  it('of one account counts once where the pool’s rule says so now', async () => {
    world.rule({ accountRule: 'merge' })
    await world.contribute('1', { days: daysOf(6), account: 'ann' })
    await world.contribute('2', { days: daysOf(7), account: 'ann' })
    await world.judge()
    await settle()
    upgrade({}, { accountRule: 'first-wallet' })
    await rescore()
    expect((await only()).entries.map(({ after }) => after.refused)).toEqual([false, true])
  })
})

describe('who is judged again', () => {
  it('is nobody where the settings say nothing, and nobody whom another proof accepted', async () => {
    await threeJudged()
    const { policyDigest, poc } = world.pool()
    upgrade({}, { rescoring: null })
    expect(await step()).toBe(0)
    const other = { policyDigest: digestOfDigit('7'), poc: digestOfDigit('6') }
    const listed = (earlier: ServedRescoring['earlier']) =>
      world.rule({ ...world.pool(), rescoring: { earlier, share: 1, rule: 'keep' } })
    listed([other])
    await rescore()
    expect(await only()).toMatchObject({ accepted: 0, chosen: 0, entries: [], left: [], last: true })
    listed([other, { policyDigest, poc: poc.digest }])
    await rescore()
    expect((await statements())[1]).toMatchObject({ number: 2, accepted: 3, chosen: 3, left: [] })
  })

  it('is not whom the proof refused, or whose verdict does not stand on the chain', async () => {
    await world.contribute('1', { days: daysOf(6) })
    await world.contribute('2', { days: daysOf(7), expires: 0 })
    await world.judge()
    upgrade()
    expect(await step()).toBe(0)
    await settle()
    await rescore()
    expect((await only()).entries.map(({ contribution }) => contribution)).toEqual(['1'])
  })

  it('is a share that a beacon chose, which the statement shows; the rest when the share grows', async () => {
    for (let id = 1; id <= 12; id += 1)
      await world.contribute(String(id), {
        days: daysOf(id),
        owner: `0x${id.toString(16).padStart(40, '0')}`,
      })
    await world.judge()
    await settle()
    upgrade({ share: 0.4 })
    await rescore()
    const { sample, entries, chosen, accepted } = await only()
    const beacon = Uint8Array.from(Buffer.from(sample.beacon.slice(2), 'hex'))
    const expected = Array.from({ length: 12 }, (_, index) => String(index + 1)).filter((contribution) =>
      selectForAudit({ beacon, contribution, rate: 0.4 }),
    )
    expect([accepted, chosen]).toEqual([12, expected.length])
    expect(entries.map(({ contribution }) => contribution)).toEqual(expected)
    expect(expected.length).toBeGreaterThan(0)
    expect(expected.length).toBeLessThan(12)
    const rescoring = world.pool().rescoring
    if (rescoring === null) throw new Error('no rescoring')
    world.rule({ policyDigest: digestOfDigit('9'), poc: next, rescoring: { ...rescoring, share: 1 } })
    await rescore()
    const [, rest] = await statements()
    expect(rest).toMatchObject({ number: 2, accepted: 12, chosen: 12 - expected.length })
  })

  it.each<[string, () => Promise<unknown>, string]>([
    ['whose file is gone', () => query(`locator = 'sha256:${'0'.repeat(64)}' where id = 1`), 'BLOB_MISSING'],
    ['whose file is another', () => world.spoil('1', (bytes) => bytes.fill(0, 40)), 'SEALED_FILE_INVALID'],
    [
      'whose owner’s text counts no more',
      async () => world.rule({ ...world.pool(), consents: [digestOfDigit('5')] }),
      'CONSENT_NOT_ACCEPTED',
    ],
    [
      'who sealed it under a policy that is not listed',
      async () => relist(digestOfDigit('7')),
      'WRONG_POLICY',
    ],
  ])('is not who cannot be: %s', async (_, change, reason) => {
    await world.contribute('1', { days: daysOf(6) })
    await world.judge()
    await settle()
    upgrade()
    await change()
    await rescore()
    expect(await only()).toMatchObject({ entries: [], left: [{ contribution: '1', reason }] })
  })
  const query = (change: string) => world.context().store.query(`update contributions set ${change}`)
  const relist = (policyDigest: ServedPool['policyDigest']): void => {
    const { rescoring } = world.pool()
    if (rescoring === null) throw new Error('no rescoring')
    const earlier = rescoring.earlier.map((one) => ({ ...one, policyDigest }))
    world.rule({ ...world.pool(), rescoring: { ...rescoring, earlier } })
  }

  it('waits for a store that is away, and for a machine that is slow a few times', async () => {
    await world.contribute('1', { days: daysOf(6) })
    await world.judge()
    await settle()
    upgrade()
    world.whileOpening(async () => {
      throw new BlobStoreError('BLOB_STORE_FAILED', 'store', 'it is away')
    })
    expect(await step()).toBe(1)
    expect(await step()).toBe(0)
    world.wait(1)
    expect(await step()).toBe(1)
    world.whileOpening(undefined)
    world.wait(2)
    const { runtime, settings } = world.context()
    const late: JobRuntime = {
      ...runtime,
      run: async (asked) =>
        asked.entry === 'evaluate' ? { ok: false, code: 'TIMEOUT', place: 'evaluate' } : runtime.run(asked),
    } as JobRuntime
    expect(await step({ runtime: late, settings: { ...settings, missingBlobTries: 9 } })).toBe(1)
    expect(await world.countOf(`rescored where state = 'due'`)).toBe(1)
    world.wait(4)
    await rescore()
    expect((await only()).entries).toHaveLength(1)
  })
})

describe('a stop, and what is taken back', () => {
  it('between the choice, each judgement and the signature has nothing done twice', async () => {
    await threeJudged()
    upgrade()
    let runs = 0
    const { runtime } = world.context()
    const counted = {
      ...runtime,
      run: (asked) => {
        runs += asked.entry === 'evaluate' ? 1 : 0
        return runtime.run(asked)
      },
    } as JobRuntime
    expect(await step({ runtime: counted })).toBe(2)
    world.start(world.context().store)
    expect(await step({ runtime: counted })).toBe(1)
    const killed = Object.assign(
      () => {
        throw new Error('killed')
      },
      { deployment: world.context().sign.deployment },
    )
    await expect(step({ runtime: counted, sign: killed })).rejects.toThrow('killed')
    expect(await statements()).toEqual([])
    expect(await world.countOf('earlier_rewards')).toBe(0)
    world.start(world.context().store)
    expect(await step({ runtime: counted })).toBe(1)
    expect(await step({ runtime: counted })).toBe(0)
    expect(runs).toBe(3)
    expect((await only()).entries).toHaveLength(3)
    const [row] = await world.context().store.query('select rewarded from earlier_rewards')
    expect(row?.['rewarded']).toBe((await only()).entries[1]?.difference)
  })

  it('of a long list is signed in parts, of which the last says so', async () => {
    await world.contribute('1', { days: daysOf(6) })
    await world.judge()
    await settle()
    upgrade()
    expect(await step()).toBe(1)
    const { store } = world.context()
    await store.query(
      `insert into rescored (contribution, poc, pool, run, state, reason)
       select other, poc, pool, run, 'left', 'BLOB_MISSING' from rescored, generate_series(1000, 1249) as other`,
    )
    await store.query('update rescoring_runs set accepted = 251, chosen = 251')
    await rescore()
    const parts = await statements()
    expect(
      parts.map(({ number, last, entries, left }) => [number, last, entries.length, left.length]),
    ).toEqual([
      [1, false, 1, 199],
      [2, true, 0, 51],
    ])
    expect(await step()).toBe(0)
  })

  it('is left out when it is withdrawn before the signature, judged or not, and leaves nothing behind', async () => {
    await threeJudged()
    upgrade()
    expect(await step()).toBe(2)
    await world.withdraw('2')
    await eraseWithdrawn(world.context(), new Map([[world.pool().address, world.pool()]]))
    await world.withdraw('3')
    await rescore()
    const { entries, left, chosen } = await only()
    expect(entries.map(({ contribution }) => contribution)).toEqual(['1'])
    expect([chosen, left]).toEqual([
      3,
      [
        { contribution: '2', reason: 'NOT_HELD' },
        { contribution: '3', reason: 'NOT_HELD' },
      ],
    ])
    expect(await bodyOf('2')).toEqual([])
    expect(await world.countOf('earlier_rewards where contribution = 2 and rewarded > 0')).toBe(0)
  })

  it('is left out when it is withdrawn while it is judged, or its block goes', async () => {
    await threeJudged()
    upgrade()
    const { runtime, store } = world.context()
    const meanwhile = {
      ...runtime,
      run: async (asked) => {
        if (
          asked.entry === 'evaluate' &&
          (await world.countOf(`contributions where state = 'withdrawn'`)) === 0
        )
          await world.withdraw('1')
        return runtime.run(asked)
      },
    } as JobRuntime
    await step({ runtime: meanwhile })
    await step()
    await store.transaction((tx) => undoContributions(tx, 2n))
    await rescore()
    expect((await only()).left.map(({ contribution }) => contribution)).toEqual(['1', '3'])
  })

  it('has its second verdict destroyed with the first when it is erased after the signature', async () => {
    await world.contribute('1', { days: daysOf(6) })
    await world.contribute('2', { days: daysOf(10, 27, 6), merkle: { batch: '1', index: 0 } })
    await world.judge()
    await settle()
    upgrade()
    await rescore()
    const signed = (await only()) as unknown as JsonObject
    await world.withdraw('1')
    await world.withdraw('2')
    await eraseWithdrawn(world.context(), new Map([[world.pool().address, world.pool()]]))
    expect(await world.countOf('rescored_verdicts')).toBe(0)
    expect(await only()).toEqual(signed)
  })
})
