import { readResultView } from '@sealpool/attest'
import { openResult } from '@sealpool/client'
import { parseJobManifest } from '@sealpool/compute'
import {
  type Address,
  deriveKeyPair,
  encodeBase64Url,
  type JsonObject,
  type JsonValue,
  sha256Digest,
} from '@sealpool/crypto'
import { parsePoolPolicy, type ViewLimits } from '@sealpool/privacy'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { resultAnswer, resultOwner } from '../api/result-answer.js'
import { keyScope, type ServedPool } from '../ingest/served-pool.js'
import { sealedCopyOf } from '../release/sealed-copies.js'
import { oldAnswers } from '../state/expired-rows.js'
import { findJob, type JobRow } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { consumer, engine, jobFixture, keys, manifest, resultKeys } from '../testing/job-fixture.js'
import { addressOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { previewPlan, previewPrice } from './request-run.js'
import { advanceJob } from './run-job.js'

/* Three pools of three owners, one job over all of them: each owner gets the view that the manifest gives him, and nothing else. */

const names = ['pay', 'people', 'rural'] as const
const digits = ['a', 'b', 'c'] as const
const allowing: ViewLimits = { others: 'whole' }
const poolOf = (place: number, views: ViewLimits | undefined): ServedPool => {
  const fixture = servedPoolFixture(addressOfDigit(digits[place] ?? '0'))
  const name = names[place] ?? ''
  const policy = parsePoolPolicy({
    ...fixture.policy,
    name,
    joins: { allowed: true, with: names.filter((other) => other !== name) },
    ...(views === undefined ? {} : { views }),
  })
  return { ...fixture, name, policy }
}
const pools = names.map((_, place) => poolOf(place, allowing))
const addresses = pools.map(({ address }) => address)

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(async () => {
  await world.reset()
  for (const [place, { address, policy }] of pools.entries()) {
    if (place === 0) continue
    await storedLedger(store).open(address, policy.privacy)
    await world.refined(
      `${place + 1}`,
      [1, 2, 3].map((id) => `${place}${id}`),
      address,
    )
  }
  const chain = world.chain as { pool: unknown }
  chain.pool = async (address: Address) => {
    const own = pools.find((one) => one.address === address)
    const keyDigest = own === undefined ? '' : keys.poolKey(keyScope(own, 1)).keyId
    return { keyEpoch: { epoch: 1, keyDigest }, restrictions: [], pausedUntil: 0 }
  }
})

const [columnsOwner, countOwner, receiptOwner] = ['1', '2', '3'].map(addressOfDigit) as [
  Address,
  Address,
  Address,
]
const [columnsKeys, countKeys] = [4, 5].map((fill) => deriveKeyPair(new Uint8Array(32).fill(fill))) as [
  typeof resultKeys,
  typeof resultKeys,
]
const other = (address: Address, view: JsonObject, pair?: typeof resultKeys): JsonObject => ({
  address,
  resultKey: pair === undefined ? null : { kem: 'x25519', publicKey: encodeBase64Url(pair.publicKey) },
  view,
})
const sql =
  'SELECT a.sector AS sector, count(*) AS n FROM pay.workers AS a JOIN people.workers AS b ON a.contributor = b.contributor JOIN rural.workers AS c ON a.contributor = c.contributor GROUP BY a.sector'
const countOther = other(countOwner, { kind: 'count' }, countKeys)
const views: JsonObject = {
  consumer: { kind: 'whole' },
  others: [
    other(columnsOwner, { kind: 'columns', columns: ['sector'] }, columnsKeys),
    countOther,
    other(receiptOwner, { kind: 'receipt' }),
  ],
}
const asked = (change: JsonObject = { views }): JsonValue =>
  manifest({
    pools: pools.map(({ address, name }) => ({ address, name })),
    query: { sql },
    ...change,
  })

/** Runs a paid job over the three pools under these policies. */
async function run(of: JsonValue, served: readonly ServedPool[] = pools): Promise<JobRow> {
  const id = await world.paid(of, { pools: addresses })
  const context = world.context(() => engine({ query: async () => large }), {
    pools: new Map(served.map((pool) => [pool.address, pool])),
  })
  const job = await advanceJob(context, id)
  if (job === undefined) throw new Error('the job is there')
  return job
}

/** Groups that no noise hides. */
const large = ['0', '1'].map((k0) => ({ k0, s0: '200', s1: '200' }))

const opened = (job: JobRow, recipient: Address, pair: typeof resultKeys) =>
  openResult({
    sealed: sealedCopyOf(job.sealedResult ?? new Uint8Array(0), recipient) ?? new Uint8Array(0),
    privateKey: pair.privateKey,
    ...(job.resultDigest === null ? {} : { expectedDigest: job.resultDigest }),
  })

describe('a job over the data of three owners', () => {
  it('gives each his view and nothing else, under one commitment', async () => {
    const job = await run(asked())
    expect(job).toMatchObject({ state: 'settled', reason: null })
    const whole = await opened(job, consumer, resultKeys)
    const { rows = [] } = whole.value as { rows?: JsonValue[] }
    expect(whole).toMatchObject({
      view: { kind: 'whole' },
      value: { columns: [{ name: 'sector' }, { name: 'n' }] },
    })
    expect(rows).toHaveLength(2)
    const columns = await opened(job, columnsOwner, columnsKeys)
    expect(columns.value).toEqual({
      columns: [{ name: 'sector', kind: 'key' }],
      rows: [['a'], ['b']],
      intervals: [[null], [null]],
    })
    const counted = await opened(job, countOwner, countKeys)
    expect(counted.value).toEqual({ count: 2 })
    expect(new Set([whole.digest, columns.digest, counted.digest, job.resultDigest]).size).toBe(1)

    // All that the count's owner is sent, opened: his view, its salt, and digests of salted views.
    const {
      salt,
      views: committed,
      ...rest
    } = JSON.parse(new TextDecoder().decode(counted.bytes)) as JsonObject
    expect(salt).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(rest).toEqual({
      format: 'sealpool/result-view',
      version: 1,
      view: { kind: 'count' },
      value: { count: 2 },
    })
    for (const one of committed as unknown as JsonObject[]) {
      expect(Object.keys(one)).toEqual(['digest', 'view'])
      expect(one['digest']).toMatch(/^sha256:[0-9a-f]{64}$/)
    }
    expect(readResultView(counted.bytes, job.resultDigest ?? 'sha256:')).toMatchObject({
      value: { count: 2 },
    })
  })

  it('seals nothing to anybody’s key but his own view', async () => {
    const job = await run(asked())
    for (const [recipient, strangers] of [
      [consumer, [columnsKeys, countKeys]],
      [columnsOwner, [resultKeys, countKeys]],
      [countOwner, [resultKeys, columnsKeys]],
    ] as const) {
      for (const stranger of strangers) {
        await expect(opened(job, recipient, stranger)).rejects.toMatchObject({ code: 'NO_MATCHING_IDENTITY' })
      }
    }
    expect(sealedCopyOf(job.sealedResult ?? new Uint8Array(0), receiptOwner)).toBeUndefined()
  })

  it('says in its receipt who got which view and which copy', async () => {
    const job = await run(asked())
    const { result } = await world.receiptOf(job.id)
    const digestOfCopy = (recipient: Address) =>
      sha256Digest(sealedCopyOf(job.sealedResult ?? new Uint8Array(0), recipient) ?? new Uint8Array(0))
    expect(result).toMatchObject({
      digest: job.resultDigest,
      views: [
        { recipient: consumer, view: { kind: 'whole' }, sealed: digestOfCopy(consumer) },
        {
          recipient: columnsOwner,
          view: { kind: 'columns', columns: ['sector'] },
          sealed: digestOfCopy(columnsOwner),
        },
        { recipient: countOwner, view: { kind: 'count' }, sealed: digestOfCopy(countOwner) },
        { recipient: receiptOwner, view: { kind: 'receipt' }, sealed: null },
      ],
    })
  })

  it('is deleted under the digest that its receipt has of all copies', async () => {
    const { id } = await run(asked())
    await store.query(`update jobs set chain_state = 'Settled' where id = $1`, [id])
    const page = { upTo: 1_000n, before: '9999', limit: 1 }
    const sealed = (await world.receiptOf(id)).result?.sealed
    expect(sealed).toMatch(/^sha256:/)
    expect(await oldAnswers(store, page)).toMatchObject([{ job: id, sealedDigest: sealed }])
  })

  it('hands each his own copy, and nobody anything that is not sealed to him', async () => {
    const job = await run(asked())
    const copy = (recipient?: Address) => resultAnswer(job, recipient)
    expect(copy()).toEqual(copy(consumer))
    for (const recipient of [consumer, columnsOwner, countOwner]) {
      const own = sealedCopyOf(job.sealedResult ?? new Uint8Array(0), recipient) ?? new Uint8Array(0)
      expect(copy(recipient)).toMatchObject({ sealed: encodeBase64Url(own), sealedDigest: sha256Digest(own) })
      expect(resultOwner(job, recipient)).toBe(recipient)
    }
    for (const nobody of [receiptOwner, addressOfDigit('9')]) expect(copy(nobody)).toBe('RECIPIENT_UNKNOWN')
    // Whoever is not named asks for what is the consumer's, and is not him.
    expect(resultOwner(job, addressOfDigit('9'))).toBe(consumer)
    expect(resultOwner(job, undefined)).toBe(consumer)
    await store.query('update jobs set sealed_result = null where id = $1', [job.id])
    const deleted = await findJob(store, job.id)
    if (deleted === undefined) throw new Error('the job is there')
    expect(resultAnswer(deleted, countOwner)).toBe('RESULT_DELETED')
  })

  it('gives the consumer no more than his view either', async () => {
    const job = await run(asked({ views: { ...views, consumer: { kind: 'count' } } }))
    expect((await opened(job, consumer, resultKeys)).value).toEqual({ count: 2 })
  })

  it('without views has the result, the digests and the receipt that it had before there were any', async () => {
    const job = await run(asked({}))
    const sealed = job.sealedResult ?? new Uint8Array(0)
    const { bytes, digest, view } = await openResult({ sealed, privateKey: resultKeys.privateKey })
    expect([digest, view]).toEqual([job.resultDigest, undefined])
    expect(digest).toBe(sha256Digest(bytes))
    expect((await world.receiptOf(job.id)).result).toEqual({
      digest,
      sealed: sha256Digest(sealed),
      mediaType: 'application/json',
    })
    expect(resultAnswer(job)).toMatchObject({ sealed: encodeBase64Url(sealed) })
    expect(resultAnswer(job, countOwner)).toBe('RECIPIENT_UNKNOWN')
  })

  it.each<[string, number, ViewLimits | undefined]>([
    ['says nothing of views', 1, undefined],
    ['lets others count', 2, { others: 'count' }],
    [
      'names one owner with another key',
      0,
      { named: [{ address: countOwner, publicKey: 'A'.repeat(43), most: 'whole' }] },
    ],
    ['lets the consumer count', 2, { ...allowing, consumer: 'count' }],
  ])('is refused and refunded when one policy %s', async (_, place, limits) => {
    const served = pools.map((pool, at) => (at === place ? poolOf(place, limits) : pool))
    const job = await run(asked(), served)
    expect(job).toMatchObject({ state: 'refused', reason: 'VIEW_NOT_ALLOWED', sealedResult: null })
    expect(world.chain.calls).toEqual(['refuse'])
    expect(await world.spent()).toBe('0')
    expect(await world.receiptOf(job.id)).toMatchObject({
      refusal: { code: 'VIEW_NOT_ALLOWED' },
      result: null,
    })
  })

  it.each<[string, string, JsonObject]>([
    ['a column that the answer has not', 'VIEW_COLUMN_UNKNOWN', { kind: 'columns', columns: ['wage'] }],
    ['a view of an unknown kind', 'MANIFEST_INVALID', { kind: 'rows' }],
  ])('is refused before any charge for %s', async (_, reason, view) => {
    const job = await run(asked({ views: { ...views, consumer: view } }))
    expect(job).toMatchObject({ state: 'refused', reason })
    expect(await world.spent()).toBe('0')
  })

  const lowOrder = 'A'.repeat(43)
  const unusedBits = `${'C'.repeat(42)}B`
  const whose = (publicKey: string) => ({ resultKey: { kem: 'x25519', publicKey } })
  it.each<[string, JsonObject]>([
    [
      'a recipient’s key of low order',
      { views: { ...views, others: [{ ...countOther, ...whose(lowOrder) }] } },
    ],
    [
      'a recipient’s key that is none',
      { views: { ...views, others: [{ ...countOther, ...whose(unusedBits) }] } },
    ],
    ['its consumer’s key of low order', { consumer: { address: consumer, ...whose(lowOrder) } }],
  ])('is refused before any charge for %s, to which nothing can be sealed', async (_, change) => {
    const job = await run(asked(change))
    expect(job).toMatchObject({ state: 'refused', reason: 'MANIFEST_INVALID' })
    expect(await world.spent()).toBe('0')
    // Nobody votes on it, and pays for it, because the plan said yes.
    const context = world.context(() => engine(), { pools: new Map(pools.map((one) => [one.address, one])) })
    for (const preview of [previewPlan, previewPrice]) {
      const told = await preview(context, parseJobManifest(asked(change)))
      expect(told).toMatchObject({
        ok: false,
        receipt: { statement: { body: { refusal: { code: 'MANIFEST_INVALID' } } } },
      })
    }
  })
})
