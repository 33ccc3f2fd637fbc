import { BlobStoreError } from '@sealpool/client'
import { DEFAULT_FARMING_RULE } from '@sealpool/poc'
import type { JobRuntime } from '@sealpool/sandbox'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AuditFact } from '../audit/audit-chain.js'
import { countDiffering } from '../state/verdict-audit-table.js'
import { undoContributions } from '../state/withdrawal.js'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { auditVerdicts } from './audit-verdicts.js'
import { eraseWithdrawn } from './erase-withdrawn.js'
import type { IngestContext } from './ingest-context.js'
import { judgeBatch } from './judge-batch.js'

const newStore = memoryStores()
const farming = { ...DEFAULT_FARMING_RULE, clusterFrom: 0.3, periodSeconds: 3_600 }

let world: Awaited<ReturnType<typeof judgingWorld>>
let told: AuditFact[]

beforeAll(async () => {
  world = await judgingWorld(newStore)
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.reset()
  world.rule({ farming, auditShare: 1 })
  told = []
})

/** Judges, and has the verdicts stand on the chain. */
async function settled(): Promise<void> {
  await world.judge()
  await world
    .context()
    .store.query(
      `update contributions set state = case when reason is null then 'recorded' else 'refused' end where state = 'judged'`,
    )
}
/** A later process of the node, so many seconds later. */
async function audit(change: Partial<IngestContext> = {}, later = 0): Promise<number> {
  const { store } = world.context()
  world.start(store)
  const ingest = { ...world.context(), now: () => 2_000_000_000 + later, ...change }
  let done = 0
  for (let last = -1; done !== last; ) {
    last = done
    done += await auditVerdicts({ ingest, audit: { write: (fact) => void told.push(fact) } }, world.pool())
  }
  return done
}
const statesOf = async () =>
  (await world.context().store.query('select state from verdict_audits order by contribution')).map(
    (row) => row['state'],
  )
/** A machine on which the proof comes to something else. */
const changed = (output: (before: Record<string, unknown>) => object): { readonly runtime: JobRuntime } => {
  const { runtime } = world.context()
  return {
    runtime: {
      ...runtime,
      run: async (asked) => {
        const result = await runtime.run(asked)
        return asked.entry === 'evaluate' && result.ok
          ? ({ ...result, ...output(result.output as Record<string, unknown>) } as typeof result)
          : result
      },
    },
  }
}
const wrong = () => changed((before) => ({ output: { ...before, quality: 0.5 } }))
const late = () => changed(() => ({ ok: false, code: 'TIMEOUT', place: 'evaluate' }))

describe('a verdict that is judged again', () => {
  it('is the same by what was known then, whatever has come, gone or been taken back since', async () => {
    world.rule({ farming, auditShare: 1, accountRule: 'merge' })
    const ann = addressOfDigit('a')
    await world.contribute('1', { days: daysOf(1), account: 'ann', owner: ann })
    await world.contribute('2', { days: daysOf(2, 27, 1), account: 'ann' })
    await world.contribute('3', { days: daysOf(3), expires: 0 })
    await world.contribute('4', { days: daysOf(4), owner: ann })
    await settled()
    await world.contribute('5', { days: daysOf(5, 27, 4) })
    await world.contribute('9', { days: daysOf(9, 27, 4) })
    await settled()
    await world.context().store.transaction((tx) => undoContributions(tx, 5n))
    await world.withdraw('1')
    // The first is withdrawn, the last has lost its block.
    expect(await audit()).toBe(4)
    expect(told).toEqual([])
    expect(await statesOf()).toEqual(['due', 'same', 'same', 'same', 'same', 'due'])
    expect(await countDiffering(world.context().store)).toBe(0)
    expect(await audit()).toBe(0)
  })

  it('does not wait for a time of a clock that was set far forward and back again', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await settled()
    expect(await audit(wrong())).toBe(1)
    const waits = (until: number) =>
      world.context().store.query(`update verdict_audits set retry_at = ${until}`)
    await waits(2_000_086_400)
    expect(await audit()).toBe(0)
    await waits(2_000_086_401)
    expect(await audit()).toBe(1)
    expect(await statesOf()).toEqual(['same'])
  })

  it('that is another one stands in the audit log, and is tried again until it is the same', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2) })
    await settled()
    const { store } = world.context()
    expect(await audit(wrong())).toBe(2)
    expect(await countDiffering(store)).toBe(2)
    const [signed] = await store.query('select verdict_digest from contributions where id = 1')
    expect(told).toHaveLength(2)
    expect(told[0]).toEqual({
      event: 'verdict-differs',
      facts: {
        contribution: '1',
        pool: world.pool().address,
        signed: signed?.['verdict_digest'],
        again: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      },
    })
    expect(told[0]?.facts['again']).not.toBe(told[0]?.facts['signed'])
    expect(await audit({}, 3_599)).toBe(0)
    expect(await audit(wrong(), 3_600)).toBe(2)
    expect(await countDiffering(store)).toBe(2)
    told = []
    expect(await audit({}, 7_200)).toBe(2)
    expect(told.map(({ event }) => event)).toEqual(['verdict-same-again', 'verdict-same-again'])
    expect([await countDiffering(store), await statesOf()]).toEqual([0, ['same', 'same']])
    expect(
      (await store.query('select known from verdict_audits')).every((row) => row['known'] === null),
    ).toBe(true)
  })

  it('is no evidence when a clock ended it, or its blob is away: it is looked at later', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await settled()
    expect(await audit(late())).toBe(0)
    world.whileOpening(async () => {
      throw new BlobStoreError('BLOB_STORE_FAILED', 'store', 'it is away')
    })
    expect(await audit({}, 3_600)).toBe(0)
    world.whileOpening(undefined)
    expect([told, await statesOf()]).toEqual([[], ['due']])
    expect(await audit({}, 7_199)).toBe(0)
    expect(await audit({}, 7_200)).toBe(1)
    expect(await statesOf()).toEqual(['same'])
  })

  it('is not compared under other rules than it was judged by', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await settled()
    world.rule({ farming: { ...farming, noveltyFloor: 0.1 }, auditShare: 1 })
    expect(await audit()).toBe(0)
    expect([told, await statesOf()]).toEqual([[], []])
  })

  it('is given up with its policy: under another one it neither opens, nor keeps the node from being ready', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2) })
    await settled()
    const { store } = world.context()
    await store.query(`update contributions set state = 'refused' where id = 2`)
    expect(await audit(wrong())).toBe(2)
    world.rule({ farming, auditShare: 1, policyDigest: digestOfDigit('9') })
    expect(await audit({}, 3_600)).toBe(0)
    expect([await countDiffering(store), await statesOf()]).toEqual([0, []])
  })

  it('waits until it stands on the chain', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    expect(await audit()).toBe(0)
    expect(await statesOf()).toEqual(['due'])
  })
})

describe('the choice of verdicts', () => {
  it('is the share that the pool says, and none where it says nothing', async () => {
    world.rule({ auditShare: 0.5 })
    for (let id = 1; id <= 12; id++) {
      await world.contribute(String(id), {
        days: daysOf(id),
        owner: `0x${id.toString(16).padStart(40, '0')}`,
      })
    }
    await settled()
    const chosen = await world.countOf('verdict_audits')
    expect(chosen).toBeGreaterThan(1)
    expect(chosen).toBeLessThan(11)
    await world.context().store.run('truncate verdict_audits')
    world.rule({ auditShare: 0 })
    await world.contribute('13', { days: daysOf(13), owner: addressOfDigit('b') })
    await settled()
    expect(await world.countOf('verdict_audits')).toBe(0)
  })

  it('leaves out what no proof was asked about, and what a clock ended', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(1) })
    await settled()
    expect(await world.verdictOn('2')).toMatchObject({ refusal: { code: 'DUPLICATE_CONTENT' } })
    expect(await world.countOf('verdict_audits')).toBe(1)
    await world.contribute('3', { days: daysOf(3) })
    await judgeBatch({ ...world.context(), ...late() }, world.pool())
    expect(await world.verdictOn('3')).toMatchObject({ refusal: { code: 'POC_TIMEOUT' } })
    expect(await world.countOf('verdict_audits')).toBe(1)
  })

  it('holds nothing more of what was erased, whichever way it came', async () => {
    world.rule({ auditShare: 1 })
    await world.contribute('1', { days: daysOf(1), expires: 0 })
    await world.contribute('2', { days: daysOf(2), expires: 0, merkle: { batch: '1', index: 0 } })
    await world.contribute('3', { days: daysOf(3) })
    await settled()
    await world.withdraw('1')
    await world.withdraw('2')
    await eraseWithdrawn(world.context(), new Map([[world.pool().address, world.pool()]]))
    expect(await world.countOf('verdict_audits')).toBe(1)
  })
})
