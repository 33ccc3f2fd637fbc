import { createHmac } from 'node:crypto'
import { canonicalBytes, encodeHex } from '@sealpool/crypto'
import type { SqlEngine } from '@sealpool/query'
import * as fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { lastingScope, type ServedPool } from '../ingest/served-pool.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { insertRefinement, poolRefinements } from '../state/refinement-table.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { executeJob } from './execute-job.js'
import type { JobContext } from './job-context.js'
import { jobNoise } from './job-noise.js'
import { jobSecret } from './job-secret.js'
import type { PlannedJob } from './planned-job.js'

const ringOf = (byte: number): NodeKeyRing => openKeyRing(new Uint8Array(32).fill(byte), digestOfDigit('9'))
const keys = ringOf(7)
const pay = servedPoolFixture()
const people = servedPoolFixture(addressOfDigit('b'))

/** A job whose answer is the first 32 bytes of its noise. */
const plannedOf = (plan = '1', pools: readonly ServedPool[] = [pay, people]): PlannedJob => ({
  kind: 'query',
  plan: null,
  planDigest: digestOfDigit(plan),
  code: null,
  charges: pools.map((pool) => ({ pool, charge: { epsilon: 1, delta: 0 }, leaves: [] })),
  reached: [],
  explanation: null,
  run: async (_, random) => encodeHex(random(32)),
})
const idsOf = (
  ofPay: readonly string[],
  ofPeople: readonly string[],
): ReadonlyMap<string, readonly string[]> =>
  new Map([
    [pay.address, ofPay],
    [people.address, ofPeople],
  ])
const given = { keys, planned: plannedOf(), contributions: idsOf(['1', '2', '10'], ['3']) }
const first = (change: Partial<typeof given> = {}, length = 100): string =>
  encodeHex(jobNoise({ ...given, ...change })(length))

describe('the noise of a job', () => {
  it('is HMAC-SHA-256 in counter mode under a seed of plan and contributions', () => {
    // Written out a second time from the description, with Node's own HMAC.
    const block = (key: Uint8Array, domain: string, data: Uint8Array): Buffer => {
      const mac = createHmac('sha256', key)
      for (const part of [Buffer.from('sealpool/fingerprint/1'), Buffer.from(`job-noise/${domain}`), data]) {
        const length = Buffer.alloc(8)
        length.writeBigUInt64BE(BigInt(part.length))
        mac.update(length).update(part)
      }
      return mac.digest()
    }
    const seed = block(
      keys.poolSecret('job-noise', lastingScope(pay)),
      'seed',
      canonicalBytes({
        plan: digestOfDigit('1'),
        inputs: [
          { pool: pay.address, contributions: ['1', '10', '2'] },
          { pool: people.address, contributions: ['3'] },
        ],
      }),
    )
    const stream = [0, 1, 2, 3].map((counter) =>
      block(seed, 'stream', Buffer.from([0, 0, 0, 0, 0, 0, 0, counter])),
    )
    expect(first({}, 128)).toBe(encodeHex(Buffer.concat(stream)))
  })

  it('does not depend on how it is read, and never repeats a block', () => {
    const whole = jobNoise(given)(4_096)
    const blocks = Array.from({ length: 128 }, (_, at) => encodeHex(whole.subarray(at * 32, at * 32 + 32)))
    expect(new Set(blocks).size).toBe(128)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 40 }), (lengths) => {
        const read = jobNoise(given)
        const parts = lengths.map((length) => read(length))
        expect(parts.map(({ length }) => length)).toEqual(lengths)
        const joined = Buffer.concat(parts)
        expect(encodeHex(joined)).toBe(encodeHex(whole.subarray(0, joined.length)))
      }),
    )
  })

  it('hands out bytes that later reads leave alone', () => {
    const read = jobNoise(given)
    const early = read(40)
    const copy = encodeHex(early)
    early.fill(0)
    expect(copy + encodeHex(read(60)).slice(2)).toBe(first())
  })

  it('does not depend on the order in which contributions were refined', () => {
    expect(first({ contributions: idsOf(['10', '2', '1'], ['3']) })).toBe(first())
  })

  it.each<[string, Partial<typeof given>]>([
    ['another plan', { planned: plannedOf('2') }],
    ['another root secret', { keys: ringOf(8) }],
    ['one contribution more', { contributions: idsOf(['1', '2', '10'], ['3', '4']) }],
    ['one contribution fewer', { contributions: idsOf(['1', '2'], ['3']) }],
    ['another contribution', { contributions: idsOf(['1', '2', '11'], ['3']) }],
    ['contributions of the other pool', { contributions: idsOf(['3'], ['1', '2', '10']) }],
    [
      'contributions split between the pools in another way',
      { contributions: idsOf(['1', '2'], ['10', '3']) },
    ],
    ['ids that only read the same when joined', { contributions: idsOf(['1', '21', '0'], ['3']) }],
    ['fewer pools', { planned: plannedOf('1', [pay]) }],
    ['other pools', { planned: plannedOf('1', [people]) }],
  ])('is another one with %s', (_, change) => {
    expect(first(change)).not.toBe(first())
  })

  it('is refused to a job that charges nothing', () => {
    expect(() => jobNoise({ ...given, planned: plannedOf('1', []) })).toThrow('charges no pool')
  })
})

describe('a job that is run again', async () => {
  const store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
  afterAll(() => store.close())
  beforeEach(() => store.run('truncate refinements'))

  const engine: SqlEngine = {
    dialect: 'duckdb',
    load: async () => undefined,
    query: async () => [],
    close: async () => undefined,
  }
  let opened = ''
  const run = async (plan = '1', ring = keys) => {
    const inputs = await Promise.all(
      [pay, people].map(async ({ address }) => ({
        pool: address,
        refinements: (await poolRefinements(store, address)).map(({ id }) => id),
        root: digestOfDigit('3'),
        verdictList: digestOfDigit('5'),
        count: 0,
        contributors: 0,
      })),
    )
    const reservation = { charge: 'x', planDigest: digestOfDigit('4'), inputs, versions: [] }
    const { answer } = await executeJob(
      {
        store,
        keys: ring,
        parts: { write: async () => undefined, paths: () => [] },
        openEngine: ({ pseudonymKey }: { readonly pseudonymKey: Uint8Array }) => {
          opened = encodeHex(pseudonymKey)
          return engine
        },
        random: () => {
          throw new Error('fresh randomness was asked for')
        },
      } as unknown as JobContext,
      plannedOf(plan),
      reservation,
    )
    return answer
  }
  const refine = (id: string, pool: ServedPool, contributions: readonly string[]) =>
    insertRefinement(store, {
      id,
      pool: pool.address,
      schemaId: digestOfDigit('1'),
      digest: digestOfDigit('2'),
      parts: [],
      contributions,
      rows: contributions.length,
      statement: {} as never,
    })

  it('gives the same answer, which is that of its plan and of all contributions that it reads', async () => {
    await refine('1', pay, ['2', '1'])
    await refine('2', people, ['3'])
    await refine('3', pay, ['10'])
    expect(await run()).toBe(first({}, 32))
    expect(await run()).toBe(first({}, 32))
    expect(await run('2')).toBe(first({ planned: plannedOf('2') }, 32))
    expect(await run('1', ringOf(8))).toBe(first({ keys: ringOf(8) }, 32))
  })

  it('calls contributors the same again, and otherwise in every other job', async () => {
    await refine('1', pay, ['2', '1'])
    const namesOf = async (...asked: Parameters<typeof run>) => {
      await run(...asked)
      return opened
    }
    const names = await namesOf()
    expect(names).toMatch(/^0x[0-9a-f]{64}$/)
    expect(await namesOf()).toBe(names)
    expect(await namesOf('2')).not.toBe(names)
    expect(await namesOf('1', ringOf(8))).not.toBe(names)
    await refine('2', people, ['3'])
    expect(await namesOf()).not.toBe(names)
    // What is drawn as noise tells nothing of the names.
    const contributions = idsOf(['1', '2'], ['3'])
    expect(await namesOf()).not.toBe(encodeHex(jobSecret('job-noise', { ...given, contributions })))
  })

  it('gives another answer when a pool has grown', async () => {
    await refine('1', pay, ['1'])
    const before = await run()
    await refine('2', people, ['3'])
    expect(await run()).not.toBe(before)
  })
})
