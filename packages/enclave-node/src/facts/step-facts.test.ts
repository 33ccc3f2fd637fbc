import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf, recoverStatementSigner } from '@sealpool/crypto'
import { compareClaim, type DatasetFacts } from '@sealpool/poc'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { tableOf } from '@sealpool/refine'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { AuditFact } from '../audit/audit-chain.js'
import type { PoolFacts } from '../config/facts-settings.js'
import { lastingScope, type ServedPool } from '../ingest/served-pool.js'
import { encodeRestriction } from '../policy/narrowed-pools.js'
import { partFolder } from '../runtime/part-folder.js'
import { applyConsents } from '../state/consent-table.js'
import { factsOf } from '../state/facts-table.js'
import { migrate } from '../state/migration.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { applyPolicy } from '../state/policy-table.js'
import type { Sql } from '../state/state-store.js'
import { withdrawContribution } from '../state/withdrawal.js'
import { engine, jobFixture, keys, pool } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { readFacts } from './read-facts.js'
import { type FactsContext, stepFacts } from './step-facts.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const folder = await mkdtemp(join(tmpdir(), 'sealpool-facts-'))
afterAll(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})
const world = jobFixture(store)

const rule: PoolFacts = { epsilon: 0.5, from: 4, growth: 2, most: 2, maximumRows: 100_000, keywords: null }
const asking = (change: Partial<PoolFacts> = {}): ServedPool => ({ ...pool, facts: { ...rule, ...change } })

let told: AuditFact[]
let opened: number
/** An engine that answers whatever is asked with counts. */
const counting = () => engine({ query: async () => [{ n0: '4', n1: '2' }] })
/** With an engine of small tables. */
const context = (change: Partial<FactsContext> = {}): FactsContext => ({
  ...world.context(() => {
    opened++
    return counting()
  }),
  audit: { write: (fact) => void told.push(fact) },
  onGivenUp: () => undefined,
  ...change,
})
const statesOf = async () => (await factsOf(store, pool.address)).map(({ state }) => state)
const step = (change: Partial<FactsContext> = {}, asked = asking()) => stepFacts(context(change), asked)

beforeEach(async () => {
  told = []
  opened = 0
  await world.reset()
  await store.run('truncate dataset_facts')
})

describe('facts about tables', () => {
  it('are 4,900 rows where the owner claims 5,000', async () => {
    const people = 4_900
    await store.run(`
      insert into contributors (owner, number) select 'o' || n, n from generate_series(10, ${people + 5}) n;
      insert into contributions (id, pool, owner, contributor, blob_digest, commitment, schema_id, consent_digest, epoch, locator,
        block_number, block_hash, log_index, state, verdict_digest, refinement)
      select n, pool, 'o' || n, n, blob_digest, commitment, schema_id, consent_digest, epoch, locator, block_number, block_hash, n,
        state, verdict_digest, refinement from contributions, generate_series(10, ${people + 5}) n where contributions.id = 1;
    `)
    const workers = {
      description: '',
      columns: {
        wage: { type: 'decimal', decimals: 2, description: '' },
        sector: { type: 'text', description: '', nullable: true },
      },
    }
    const table = tableOf({ ...pool.refiner.schema, tables: { workers } } as never, 'workers')
    const parts = partFolder(folder)
    const rows = Array.from({ length: people }, (_, index) => ({
      contributor: index < 4 ? index + 1 : index + 6,
      wage: index % 2 === 0 ? '10.00' : '12.50',
      sector: index < 700 ? null : 'a',
    }))
    // Of each contributor one row counts, as the policy says.
    const more = Array.from({ length: 500 }, () => ({ contributor: 1, wage: '1.00', sector: 'b' }))
    await parts.write({
      pool,
      refinement: '1',
      table,
      rows: [...rows, ...more],
      key: keys.poolSecret('table-storage', lastingScope(pool)),
    })
    const openEngine: FactsContext['openEngine'] = ({ pseudonymKey }) => createDuckDbEngine({ pseudonymKey })
    expect(await step({ parts, openEngine })).toBe(1)
    const [signed, ...others] = await readFacts(store, pool.address)
    if (signed === undefined) throw new Error('nothing was signed')
    expect(others).toEqual([])
    expect(signed).toMatchObject({
      number: 1,
      table: 'workers',
      input: { contributions: people, table: 'workers' },
    })
    expect(recoverStatementSigner(signed.statement)).toBe(keys.statementAddress)
    const { body, type } = signed.statement.statement
    expect(type).toBe('sealpool/dataset-facts')
    expect(body['commitment']).toBe(digestOf(signed.input))
    const facts = body['facts'] as unknown as DatasetFacts
    expect(facts.span).toBeNull()
    expect(facts.noise).toEqual({ epsilon: 0.5 / 3 })
    expect(facts.columns.map(({ name, kind }) => [name, kind])).toEqual([
      ['sector', 'text'],
      ['wage', 'number'],
    ])
    expect(Math.abs((facts.columns[0]?.nullRate ?? 0) - 1 / 7)).toBeLessThan(0.01)
    expect(facts.columns[1]?.distinct).toBeLessThan(40)
    expect(compareClaim({ claim: { rows: 5_000 }, facts })).toMatchObject({
      holds: false,
      differences: [{ fact: 'rows', claimed: 5_000 }],
    })
    expect(compareClaim({ claim: { rows: people }, facts }).holds).toBe(true)
    expect(await world.spent()).toBe('0.5')
    expect(told).toEqual([{ event: 'facts-signed', facts: { pool: pool.address, number: 1 } }])
    expect(await step()).toBe(0)
  })

  it('are the same again with the words of many rows, of which the first count', async () => {
    const table = tableOf(
      {
        ...pool.refiner.schema,
        tables: { workers: { description: '', columns: { sector: { type: 'text', description: '' } } } },
      } as never,
      'workers',
    )
    const parts = partFolder(folder)
    const rows = Array.from({ length: 4_000 }, (_, index) => ({
      contributor: (index % 4) + 1,
      sector: `word${Math.floor(index / 4) % 40} text`,
    }))
    await parts.write({
      pool,
      refinement: '1',
      table,
      rows,
      key: keys.poolSecret('table-storage', lastingScope(pool)),
    })
    const [workers] = pool.policy.tables
    if (workers === undefined) throw new Error('the fixture has a table')
    const many = { ...workers, columns: workers.columns.filter(({ name }) => name === 'sector') }
    const asked: ServedPool = {
      ...asking({
        epsilon: 0.4,
        keywords: { table: 'workers', column: 'sector', epsilon: 1.6, delta: 1e-7, wordsPerPerson: 1 },
      }),
      policy: { ...pool.policy, tables: [{ ...many, rowsPerContributor: 40 }] },
    }
    let texts: string[] = []
    const openEngine: FactsContext['openEngine'] = ({ pseudonymKey }) => {
      const real = createDuckDbEngine({ pseudonymKey })
      return {
        ...real,
        query: async (sql, expectation) => {
          const answer = await real.query(sql, expectation)
          if (sql.includes('AS words')) texts = answer.map((row) => JSON.stringify(row))
          return answer
        },
      }
    }
    expect(await step({ parts, openEngine }, asked)).toBe(1)
    const [first] = [await readFacts(store, pool.address)]
    expect(first).toHaveLength(1)
    const before = texts
    expect(before).toHaveLength(160)
    await store.query(`update dataset_facts set state = 'reserved', statements = null`)
    expect(await step({ parts, openEngine }, asked)).toBe(1)
    expect(texts).toEqual(before)
    expect(await readFacts(store, pool.address)).toEqual(first)
  })

  it('are told nothing of where the settings say nothing, or too few contribute', async () => {
    expect(await step({}, pool)).toBe(0)
    expect(await step({}, asking({ from: 5 }))).toBe(0)
    const strict = { ...pool.policy, privacy: { ...pool.policy.privacy, minimumContributors: 5 } }
    expect(await step({}, { ...asking(), policy: strict })).toBe(0)
    expect(await statesOf()).toEqual([])
    expect(await world.spent()).toBe('0')
  })

  it('are told again when the contributors have grown, and no more often than the settings say', async () => {
    expect(await step()).toBe(1)
    await world.refined('2', ['5', '6', '7'])
    expect(await step()).toBe(0)
    await world.refined('3', ['8'])
    expect(await step()).toBe(1)
    await world.refined('4', ['9'])
    expect(await step({}, asking({ growth: 1 }))).toBe(0)
    expect((await readFacts(store, pool.address)).map(({ number }) => number)).toEqual([1, 2])
    expect(await world.spent()).toBe('1')
  })

  it('cost nothing where they are too large or the budget has no room', async () => {
    expect(await step({}, asking({ maximumRows: 3 }))).toBe(0)
    const ledger = storedLedger(store)
    for (const job of ['x', 'y', 'z']) {
      await ledger.charge({
        pool: pool.address,
        job,
        leaves: ['pay.workers'],
        charge: { epsilon: 1.9, delta: 0 },
      })
    }
    expect(await step()).toBe(0)
    expect(await statesOf()).toEqual([])
    expect(await world.spent()).toBe('5.7')
  })

  it('are not looked for among all contributions while they cannot be booked', async () => {
    let read = 0
    const watched = {
      ...store,
      transaction: <T>(work: (tx: Sql) => Promise<T>) =>
        store.transaction((tx) =>
          work({
            ...tx,
            query: (sql, parameters) => {
              if (sql.includes('commitment')) read++
              return tx.query(sql, parameters)
            },
          }),
        ),
    }
    const asked = () => step({ store: watched as FactsContext['store'] }, asking({ epsilon: 1.9 }))
    const ledger = storedLedger(store)
    for (const job of ['x', 'y', 'z'])
      await ledger.charge({
        pool: pool.address,
        job,
        leaves: ['pay.workers'],
        charge: { epsilon: 1.9, delta: 0 },
      })
    expect([await asked(), read]).toEqual([0, 0])
    await world.reset()
    expect([
      await step({ store: watched as FactsContext['store'] }, asking({ maximumRows: 3 })),
      read,
    ]).toEqual([0, 0])
    expect([await asked(), read]).toEqual([1, 1])
  })

  it('wait while the tables hold what was contributed under a text that counts no more', async () => {
    const asked: ServedPool = { ...asking(), consents: [digestOfDigit('0')] }
    expect(await step({}, asked)).toBe(0)
    expect([await statesOf(), await world.spent()]).toEqual([[], '0'])
    await store.transaction((tx) => applyConsents(tx, asked.address, asked.consents))
    expect(await step({}, asked)).toBe(1)
    await store.query(`delete from meta where key like 'consents %'`)
  })

  it('wait while the tables are of another policy', async () => {
    const { address, policyDigest } = asking()
    await store.transaction((tx) => applyPolicy(tx, address, digestOfDigit('0')))
    expect(await step({}, asking())).toBe(0)
    expect([await statesOf(), await world.spent()]).toEqual([[], '0'])
    await store.query('delete from earlier_policies')
    await store.query(`delete from meta where key like 'policy %'`)
    await store.transaction((tx) => applyPolicy(tx, address, policyDigest))
    expect(await step({}, asking())).toBe(1)
  })

  it('begin anew with the tables of another policy, and go on where they were when it is back', async () => {
    const second = (change: Partial<PoolFacts> = {}): ServedPool => ({
      ...asking({ most: 3, ...change }),
      policyDigest: digestOfDigit('d'),
    })
    const policies = async () => (await readFacts(store, pool.address)).map(({ input }) => input['policy'])
    expect(await step({}, asking({ most: 3 }))).toBe(1)
    await store.transaction((tx) => applyPolicy(tx, pool.address, second().policyDigest))
    expect(await step({}, second())).toBe(0)
    await world.refined('2', ['5', '6', '7', '8'])
    expect(await step({}, second({ most: 1 }))).toBe(0)
    expect(await step({}, second())).toBe(1)
    expect(await step({}, second())).toBe(0)
    expect(await policies()).toEqual([pool.policyDigest, second().policyDigest])
    await store.transaction((tx) => applyPolicy(tx, pool.address, pool.policyDigest))
    await world.refined('3', ['1', '2', '3', '4', '9'])
    expect(await step({}, asking({ most: 3 }))).toBe(0)
    // A set of a release that noted no policy counts as one of the present.
    await store.query(
      `update dataset_facts set reservation = (reservation::jsonb - 'policy' || '{"contributors":2}')::text where number = 2`,
    )
    expect(await step({}, asking({ most: 3 }))).toBe(1)
    await store.run('truncate earlier_policies')
    await store.query(`delete from meta where key like 'policy %'`)
  })

  it('wait while the pool is paused or a restriction cannot be read', async () => {
    world.chain.pausedUntil = 1_700_000_001
    expect(await step()).toBe(0)
    world.chain.pausedUntil = 0
    const { bytes, digest } = encodeRestriction({
      format: 'sealpool/policy-restriction',
      version: 1,
      reason: 'A flaw was found.',
      withoutColumns: ['workers.wage'],
    })
    const larger = encodeRestriction({
      format: 'sealpool/policy-restriction',
      version: 1,
      reason: 'Groups are too small.',
      minimumContributors: 5,
    })
    world.chain.restrictions = [digest]
    expect(await step()).toBe(0)
    await world.blobs.put(bytes)
    await world.blobs.put(larger.bytes)
    world.chain.restrictions = [digest, larger.digest]
    expect(await step()).toBe(0)
    expect(await statesOf()).toEqual([])
    world.chain.restrictions = [digest]
    expect(await step()).toBe(1)
    const [signed] = await readFacts(store, pool.address)
    const facts = signed?.statement.statement.body['facts'] as unknown as DatasetFacts
    expect(facts.columns.map(({ name }) => name)).toEqual(['sector'])
  })
})

describe('a set that is reserved', () => {
  it('is not computed before its charge stands on the chain, and charged once', async () => {
    world.chain.anchors = true
    world.chain.anchorsConfirmed = false
    expect(await step()).toBe(0)
    expect(await step()).toBe(0)
    expect([opened, await world.spent(), await statesOf()]).toEqual([0, '0.5', ['reserved']])
    world.chain.anchorsConfirmed = true
    expect(await step()).toBe(1)
    expect([opened, await world.spent(), await statesOf()]).toEqual([1, '0.5', ['signed']])
  })

  it('gives the same statement however often it is computed', async () => {
    expect(await step()).toBe(1)
    const first = await readFacts(store, pool.address)
    await store.query(`update dataset_facts set state = 'reserved', statements = null`)
    expect(await step()).toBe(1)
    expect(await readFacts(store, pool.address)).toEqual(first)
    expect(await world.spent()).toBe('0.5')
  })

  it.each<[string, Partial<FactsContext>]>([
    ['is told to stop', { stopped: () => true }],
    ['is not listed any more', { isListed: async () => false }],
  ])('is not signed by a node that %s', async (_, change) => {
    expect(await step(change)).toBe(0)
    expect(await statesOf()).toEqual(['reserved'])
    expect(told).toEqual([])
    expect(await step()).toBe(1)
  })

  /** The chain's head so many days after that of the other tests. */
  const later = (days: number): FactsContext['chain'] => {
    const { chain } = context()
    return {
      ...chain,
      head: async () => ({ ...(await chain.head()), timestamp: 1_700_000_000 + days * 86_400 }),
    }
  }

  it('is given up when the engine fails, charged all the same, and tried again a day later', async () => {
    const failed: unknown[] = []
    const openEngine = () =>
      engine({
        query: async () => {
          throw new Error('wage 9.50')
        },
      })
    const onGivenUp: FactsContext['onGivenUp'] = (...why) => void failed.push(why[2])
    expect(await step({ openEngine, onGivenUp })).toBe(1)
    expect(await statesOf()).toEqual(['given-up'])
    expect(failed).toHaveLength(1)
    expect(told).toEqual([{ event: 'facts-given-up', facts: { pool: pool.address, number: 1 } }])
    expect(await step()).toBe(0)
    expect(await world.spent()).toBe('0.5')
    expect(await step({ chain: later(1) })).toBe(1)
    expect([await world.spent(), await statesOf()]).toEqual(['1', ['given-up', 'signed']])
  })

  it('is not given up for good, and each time in a row the pause is twice as long', async () => {
    const openEngine = () =>
      engine({
        query: async () => {
          throw new Error('away')
        },
      })
    const ends: number[] = []
    for (let day = 0; day <= 16; day++) {
      const done = await step({ openEngine: day < 15 ? openEngine : counting, chain: later(day) })
      if (done === 1) ends.push(day)
    }
    expect(ends).toEqual([0, 1, 3, 7, 15])
    expect(await statesOf()).toEqual([...Array(4).fill('given-up'), 'signed'])
    await world.refined('2', ['5', '6', '7', '8'])
    expect(await step({ chain: later(16) })).toBe(1)
    await world.refined('3', ['9', '10', '11', '12', '13', '14', '15', '16'])
    expect(await step({ chain: later(900) })).toBe(0)
    expect((await readFacts(store, pool.address)).map(({ number }) => number)).toEqual([5, 6])
  })

  it('is not begun by a disk that is older than the chain', async () => {
    world.chain.anchors = true
    await step()
    await store.run('truncate dataset_facts')
    const [newest] = world.chain.anchored
    if (newest === undefined) throw new Error('it was anchored')
    world.chain.anchored = [{ ...newest, sequence: newest.sequence + 1 }]
    await expect(step()).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' })
    expect([await statesOf(), await world.spent()]).toEqual([[], '0.5'])
  })

  it.each<[string, () => Promise<void>]>([
    [
      'an owner takes something back',
      async () => {
        await store.transaction((tx) => withdrawContribution(tx, { id: '2', blockNumber: 2n }))
      },
    ],
    [
      'the pool narrows its policy',
      async () => {
        const { bytes, digest } = encodeRestriction({
          format: 'sealpool/policy-restriction',
          version: 1,
          reason: 'A flaw was found.',
          withoutColumns: ['workers.wage'],
        })
        world.chain.restrictions = [digest]
        await world.blobs.put(bytes)
      },
    ],
  ])('is given up when %s: nothing is read, or nothing told', async (_, change) => {
    world.chain.anchors = true
    world.chain.anchorsConfirmed = false
    await step()
    await change()
    world.chain.anchorsConfirmed = true
    expect(await step()).toBe(1)
    expect([opened, await statesOf()]).toEqual([0, ['given-up']])
    await world.reset()
    await store.run('truncate dataset_facts')
    // The same while it is computed.
    let changed = false
    const query = async () => {
      if (!changed) await change()
      changed = true
      return [{ n0: '4', n1: '2' }]
    }
    const given: unknown[] = []
    expect(
      await step({ openEngine: () => engine({ query }), onGivenUp: (...why) => void given.push(why) }),
    ).toBe(1)
    expect([changed, given.length, await statesOf()]).toEqual([true, 1, ['given-up']])
    expect(await readFacts(store, pool.address)).toEqual([])
    expect(told.at(-1)?.event).toBe('facts-given-up')
  })

  it('is given up, and said to be, by a node with another policy: nothing is read, nothing told under either', async () => {
    world.chain.anchors = true
    world.chain.anchorsConfirmed = false
    await step()
    world.chain.anchorsConfirmed = true
    const given: number[] = []
    const other = { ...asking(), policyDigest: digestOfDigit('d') }
    expect(await step({ onGivenUp: (_, number) => void given.push(number) }, other)).toBe(1)
    expect([opened, given, await statesOf(), await world.spent()]).toEqual([0, [1], ['given-up'], '0.5'])
    expect(told).toEqual([{ event: 'facts-given-up', facts: { pool: pool.address, number: 1 } }])
    expect(await readFacts(store, pool.address)).toEqual([])
  })

  it('waits when the pool is paused while it is computed', async () => {
    const query = async () => {
      world.chain.pausedUntil = 1_700_000_001
      return [{ n0: '4', n1: '2' }]
    }
    expect(await step({ openEngine: () => engine({ query }) })).toBe(0)
    expect(await statesOf()).toEqual(['reserved'])
    world.chain.pausedUntil = 0
    expect(await step()).toBe(1)
    expect(await statesOf()).toEqual(['signed'])
  })
})
