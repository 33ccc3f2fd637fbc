import { parseJobManifest } from '@sealpool/compute'
import { type JsonObject, type JsonValue, statementDigest } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { HandOffHome } from '../hand-off/hand-off-home.js'
import { forgetHandOff, keepHandOff, keepWork, keptSlots } from '../hand-off/kept-hand-off.js'
import { slotOf } from '../hand-off/shard.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, jobFixture, manifest } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import { previewPlan, previewPrice } from './request-run.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
const states: unknown[] = []
beforeEach(async () => {
  await world.reset()
  await store.run(`delete from meta where key like 'hand-off%'`)
  states.length = 0
})

const dealt = (change: object = {}): JsonValue =>
  manifest({
    handOff: {
      measurements: [`0x${'ab'.repeat(32)}`],
      expiresAt: 1_800_000_000,
      fallback: 'none',
      shards: 3,
    },
    ...change,
  })
const home = (
  visit: HandOffHome['visit'],
  mostShards = 3,
  judgesGpus = false,
): { readonly handOff: HandOffHome } => ({
  handOff: {
    mostShards,
    judgesGpus,
    requireRunner: async () => undefined,
    visit,
    removeFiles: async () => undefined,
    end: async (id) => {
      states.push((await findJob(store, id))?.state)
      for (const slot of await keptSlots(store, id)) await forgetHandOff(store, slot)
    },
  },
})
const never: HandOffHome['visit'] = async () => {
  throw new Error('not asked here')
}
const noEngine = () =>
  engine({
    query: async () => {
      throw new Error('the home node looked itself')
    },
  })
const nodes = ['a', 'b', 'c'].map((digit) => ({
  url: 'https://node.example',
  node: addressOfDigit(digit),
  keySet: digestOfDigit(digit),
}))
const workOf = (index: number) =>
  ({ statement: { type: 'sealpool/work', version: 1, body: { shard: `${index + 1}/3` } } }) as never
/** Notes that the job was dealt, and who has given a share. */
const deal = async (id: string, given: readonly boolean[]) => {
  for (const [index, shard] of nodes.entries()) {
    const slot = slotOf(id, { index })
    const gave = given[index] === true
    await keepHandOff(store, slot, {
      attempt: 0,
      turnAt: 1,
      reachedAt: 1,
      key: digestOfDigit('e'),
      parts: null,
      transfer: null,
      left: [],
      shard,
      ...(gave ? { given: true as const } : {}),
    })
    if (gave) await keepWork(store, slot, workOf(index))
  }
}

describe('a job that is to be dealt to several nodes', () => {
  it('is refused before it is charged when this node knows fewer', async () => {
    const id = await world.paid(dealt())
    const job = await advanceJob(world.context(noEngine, home(never, 2)), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'SHARDS_NOT_SERVED' })
    expect([await world.spent(), world.chain.calls]).toEqual(['0', ['refuse']])
  })

  it.each([false, true])(
    'that demands GPUs is refused before it is charged unless this node has rules for them: %s',
    async (judges) => {
      const measurements = [`0x${'ab'.repeat(32)}`]
      const gpu = { minimumDevices: 1 }
      const handOff = { measurements, expiresAt: 1_800_000_000, fallback: 'none', shards: 3, gpu }
      const id = await world.paid(dealt({ handOff }))
      let visited = 0
      const visit: HandOffHome['visit'] = async () => {
        visited += 1
        throw new JobPutOff('HANDED_OFF', 'another node has it')
      }
      const job = await advanceJob(world.context(noEngine, home(visit, 3, judges)), id)
      if (!judges) expect(job).toMatchObject({ state: 'refused', reason: 'GPUS_NOT_JUDGED' })
      expect([visited, await world.spent()]).toEqual(judges ? [1, '1'] : [0, '0'])
    },
  )

  it('is refused before it is charged when its parts do not add up, by plan and price as well', async () => {
    const asked = dealt({ query: { sql: 'SELECT count(DISTINCT sector) AS n FROM pay.workers' } })
    const id = await world.paid(asked)
    const context = world.context(noEngine, home(never))
    const job = await advanceJob(context, id)
    expect(job).toMatchObject({ state: 'refused', reason: 'NOT_DIVISIBLE' })
    expect(await world.spent()).toBe('0')
    const wish = parseJobManifest(asked)
    for (const one of [await previewPlan(context, wish), await previewPrice(context, wish)]) {
      const said = one.ok ? 'ok' : (one.receipt.statement.body['refusal'] as JsonObject)['code']
      expect(said).toBe('NOT_DIVISIBLE')
    }
  })

  it.each<[string, readonly string[], string]>([
    ['how', ['one way', 'another', 'one way'], 'another; one way'],
    // More than a receipt has room for.
    [
      'where to read how',
      ['one way', 'another'].map((way) => way.padEnd(3_000, '.')),
      'as each node to which the job was dealt has signed',
    ],
  ])(
    'is charged and released once, and its receipt names every node and its word, and %s it ran',
    async (_, isolations, said) => {
      const id = await world.paid(dealt())
      const visit: HandOffHome['visit'] = async () => ({
        answer: { columns: [], rows: [] },
        handOff: null,
        shards: nodes.map(({ node, keySet }, index) => ({
          node,
          keySet,
          isolation: isolations[index % isolations.length] ?? '',
          work: workOf(index),
        })),
      })
      expect(await advanceJob(world.context(noEngine, home(visit)), id)).toMatchObject({ state: 'settled' })
      expect([await world.spent(), world.chain.calls]).toEqual(['1', ['start', 'release', 'settle']])
      const receipt = await world.receiptOf(id)
      expect(receipt).toMatchObject({ isolation: said })
      expect(receipt.handOff).toBeUndefined()
      expect(receipt.shards).toEqual(
        nodes.map(({ node, keySet }, index) => ({
          node,
          keySet,
          work: statementDigest((workOf(index) as { statement: never }).statement),
        })),
      )
      expect(states[0]).toBe('charged')
    },
  )

  it('that lost a node is refunded and has no release; its receipt names the lost one', async () => {
    const id = await world.paid(dealt())
    const visit: HandOffHome['visit'] = async () => {
      await deal(id, [true, false, true])
      throw JobRefusal.of('EXECUTION_FAILED')
    }
    const job = await advanceJob(world.context(noEngine, home(visit)), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    // What was looked at is charged to the budget; the money goes back.
    expect([await world.spent(), world.chain.calls]).toEqual(['1', ['start', 'refuse']])
    const { shards } = await world.receiptOf(id)
    expect(shards?.map(({ node, work }) => [node, work === null])).toEqual([
      [addressOfDigit('a'), false],
      [addressOfDigit('b'), true],
      [addressOfDigit('c'), false],
    ])
    // What is remembered is let go of only when the receipt is there: a kill in between loses no name.
    expect(states[0]).toBe('refusing')
    expect(await keptSlots(store, id)).toEqual([])
  })

  it('names the lost one though an owner took something back meanwhile', async () => {
    const id = await world.paid(dealt())
    const visit: HandOffHome['visit'] = async () => {
      await deal(id, [true, true, false])
      throw new JobPutOff('HANDED_OFF', 'other nodes have it', undefined, 0)
    }
    const context = world.context(noEngine, home(visit))
    expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'HANDED_OFF' })
    await store.query(`update refinements set state = 'superseded'`)
    expect(await advanceJob(context, id)).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    const { shards } = await world.receiptOf(id)
    expect(shards?.map(({ work }) => work === null)).toEqual([false, false, true])
  })
})
