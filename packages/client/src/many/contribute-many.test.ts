import { describe, expect, test } from 'vitest'
import { createPoolClient, memoryJournal } from '../index.js'
import { account, input, recordingStore } from '../testing/contribution.js'
import { memoryChain } from '../testing/memory-chain.js'
import { memoryNode } from '../testing/memory-node.js'
import { at, deployment, node, policy, pool } from '../testing/simulated-pool.js'
import { contributeMany, type ManyItem } from './index.js'

/* A task of many items takes its time, and the world goes on meanwhile. */

/** Three items of one task; something happens once the second is read. */
function task(meanwhile: (world: { readonly chain: ReturnType<typeof memoryChain>['state'] }) => void) {
  const chain = memoryChain()
  const { store, puts } = recordingStore()
  const clock = { now: at.getTime() }
  const now = () => new Date(clock.now)
  const served = memoryNode()
  const shared = { chain: chain.client, deployment, pool, now, blobStore: store }
  const client = createPoolClient({
    ...shared,
    ...{ policy, nodeUrl: 'http://node.example', fetch: served.fetch },
  })
  const item = (index: number): ManyItem => ({
    key: `item-${index}`,
    input: async () => {
      if (index === 1) meanwhile({ chain: chain.state })
      return { ...input, nonce: BigInt(index) }
    },
  })
  const run = () =>
    contributeMany({
      ...shared,
      client,
      account,
      journal: memoryJournal(),
      items: [item(0), item(1), item(2)],
      attempts: 1,
    })
  const asked = () => served.seen.filter(({ path }) => path.startsWith('/v1/evidence')).length
  return { run, puts, clock, asked }
}

describe('an item of a task whose node was verified before', () => {
  test('is not sealed to a node that the chain has dropped since', async () => {
    const { run, puts } = task(({ chain }) => {
      const facts = node.facts()
      chain.facts = { ...facts, node: { ...facts.node, active: false } }
    })
    await expect(run()).rejects.toMatchObject({ code: 'NOT_READY' })
    expect(puts).toHaveLength(1)
  })

  test('is not sealed by evidence that has run out since', async () => {
    const { run, puts, clock } = task(() => {
      clock.now += 40 * 86_400_000
    })
    await expect(run()).rejects.toMatchObject({ code: 'NOT_READY' })
    expect(puts).toHaveLength(1)
  })

  test('has the node verified again where that is long ago, and not where it is not', async () => {
    const long = task(() => {
      long.clock.now += 6 * 60_000
    })
    // This chain takes no transactions: that the task is not sent is of no account here.
    await expect(long.run()).rejects.not.toMatchObject({ code: 'NOT_READY' })
    expect({ puts: long.puts.length, asked: long.asked() }).toEqual({ puts: 3, asked: 2 })
    const short = task(() => undefined)
    await expect(short.run()).rejects.not.toMatchObject({ code: 'NOT_READY' })
    expect({ puts: short.puts.length, asked: short.asked() }).toEqual({ puts: 3, asked: 1 })
  })
})
