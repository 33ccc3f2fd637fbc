import type { Hex } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { getMeta, setCursor, setMeta } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import type { ChainWrite } from '../state/unsettled-write.js'
import { undoContributions } from '../state/withdrawal.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { type SettleContext, settleWrites } from './settle-writes.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const registry = addressOfDigit('f')
const hashOf = (block: bigint, fork = 0): Hex => `0x${(block * 10n + BigInt(fork)).toString(16)}`
/** Answers of the chain: what stands under the confirmations, what in the newest block; and what was asked. */
let confirmed: boolean
let newest: boolean
let fork: number
let asked: { readonly kind: ChainWrite['kind']; readonly block: bigint | null }[]
let broken: ChainWrite['kind'] | undefined
const chain: SettleContext['chain'] = {
  chainId: 1,
  registry,
  blockHash: async (block) => hashOf(block, fork),
  stands: async (write, block) => {
    asked.push({ kind: write.kind, block })
    if (write.kind === broken) throw new Error('no answer')
    return block === null ? newest : confirmed
  },
}
const readTo = (block: bigint) =>
  setCursor(store, `1:${registry}`, { blockNumber: block, blockHash: hashOf(block), logIndex: -1 })
const settle = (after?: string) => settleWrites({ store, chain }, after)
/** One write of a kind, noted as sent in a block (null: found there). */
const sent = async (kind: ChainWrite['kind'], block: bigint | null, id = 1): Promise<void> => {
  const at = block?.toString() ?? null
  if (kind === 'verdicts') {
    await store.query(
      `insert into verdict_batches (id, pool, entries, statement, state, recorded_block)
       values ($2, 'p', '[{"contributionId":"7"}]', '{}', 'recorded', $1)`,
      [at, id],
    )
  } else if (kind === 'root') {
    await store.query(
      `insert into merkle_verdicts (batch, pool, root, accepted, verdicts, statement, state, recorded_block)
       values ($2, 'p', '0x01', 1, '[{"index":3}]', '{}', 'paid', $1)`,
      [at, id],
    )
  } else if (kind === 'refinement') {
    await store.query(
      `insert into refinements (id, pool, schema_id, digest, parts, contributions, rows, statement, state, recorded_block)
       values ($2, 'p', 's', 'd', '[]', '[]', 0, '{}', 'recorded', $1)`,
      [at, id],
    )
  } else {
    await store.query(`insert into contributors (owner, number) values ('o', 1) on conflict do nothing`)
    await store.query(
      `insert into contributions (id, pool, owner, contributor, blob_digest, commitment, schema_id, consent_digest, epoch,
         locator, block_number, block_hash, log_index, state, withdrawn_block, erasure, erasure_block)
       values ($2, 'p', 'o', 1, 'b', 'c', 's', 'd', 1, 'l', 1, 'h', 0, 'withdrawn', 2, 'recorded', $1)`,
      [at, id],
    )
  }
}
const rows = async (kind: ChainWrite['kind']) => {
  const columns = {
    verdicts: 'state, settled_block::text as settled from verdict_batches',
    root: 'state, settled_block::text as settled from merkle_verdicts',
    refinement: 'state, settled_block::text as settled from refinements',
    erasure: 'erasure as state, erasure_settled_block::text as settled from contributions',
  }[kind]
  return store.query(`select ${columns}`)
}
const writes = [
  ['verdicts', 'recorded', 'signed'],
  ['root', 'paid', 'signed'],
  ['refinement', 'recorded', 'signed'],
  ['erasure', 'recorded', 'due'],
] as const

beforeEach(async () => {
  confirmed = true
  newest = true
  fork = 0
  asked = []
  broken = undefined
  await store.run(
    'truncate contributions, contributors, verdict_batches, merkle_verdicts, refinements, chain_cursor cascade',
  )
})

describe.each(writes)('%s that were sent', (kind, there, again) => {
  it('are not looked for before their block is read, and settle once they are seen in it', async () => {
    await sent(kind, 5n)
    expect(await settle()).toEqual({ lost: 0, upTo: undefined })
    await readTo(4n)
    expect(await settle()).toEqual({ lost: 0, upTo: hashOf(4n) })
    expect(asked).toEqual([])
    await readTo(6n)
    expect((await settle()).lost).toBe(0)
    expect(asked).toEqual([{ kind, block: 6n }])
    expect(await rows(kind)).toEqual([{ state: there, settled: '6' }])
    await readTo(7n)
    await settle()
    expect(asked).toHaveLength(1)
  })

  it('are sent again when their block is read and they are not in it', async () => {
    await sent(kind, 5n)
    await readTo(5n)
    confirmed = false
    expect((await settle()).lost).toBe(1)
    expect(await rows(kind)).toEqual([{ state: again, settled: null }])
  })

  it('wait when nobody knows their block and they stand at the head only; when they go from there, they are sent again', async () => {
    await sent(kind, null)
    await readTo(5n)
    confirmed = false
    expect((await settle()).lost).toBe(0)
    expect(await rows(kind)).toEqual([{ state: there, settled: null }])
    await readTo(6n)
    newest = false
    expect((await settle()).lost).toBe(1)
    expect(await rows(kind)).toEqual([{ state: again, settled: null }])
  })

  it('are undone with the block at which they were seen, not with the one in which they were sent first', async () => {
    await sent(kind, 5n)
    await readTo(8n)
    await settle()
    await undoContributions(store, 8n)
    expect(await rows(kind)).toEqual([{ state: there, settled: '8' }])
    await undoContributions(store, 7n)
    expect(await rows(kind)).toEqual([{ state: again, settled: null }])
  })

  it('stay as they are when the chain is another one than the one that was read', async () => {
    await sent(kind, 5n)
    await readTo(5n)
    confirmed = false
    fork = 1
    expect((await settle()).lost).toBe(0)
    expect(await rows(kind)).toEqual([{ state: there, settled: null }])
  })
})

describe('settling', () => {
  it('looks once for each block that was read', async () => {
    await sent('verdicts', null)
    await readTo(5n)
    confirmed = false
    const { upTo } = await settle()
    await settle(upTo)
    expect(asked).toHaveLength(2)
    await readTo(6n)
    await settle(upTo)
    expect(asked).toHaveLength(4)
  })

  it('takes many, and is not held up by one that cannot be looked up', async () => {
    for (let id = 1; id <= 230; id++) await sent('verdicts', 5n, id)
    await sent('root', 5n)
    await sent('erasure', 5n)
    broken = 'root'
    await readTo(5n)
    await expect(settle()).rejects.toThrow('no answer')
    expect((await rows('verdicts')).filter(({ settled }) => settled === '5')).toHaveLength(230)
    expect(await rows('erasure')).toEqual([{ state: 'recorded', settled: '5' }])
  })

  it('looks for a root that is not paid yet, and does not settle it', async () => {
    await sent('root', 5n)
    await store.run(`update merkle_verdicts set state = 'recorded'`)
    await readTo(5n)
    await settle()
    expect(await rows('root')).toEqual([{ state: 'recorded', settled: null }])
    confirmed = false
    expect((await settle()).lost).toBe(1)
    expect(await rows('root')).toEqual([{ state: 'signed', settled: null }])
  })

  it('looks at start for what an earlier release had noted: the tables of that release say of nothing that it is settled', async () => {
    await migrate(store, 3)
    await store.query(
      `insert into verdict_batches (id, pool, entries, statement, state, recorded_block)
       values (1, 'p', '[{"contributionId":"7"}]', '{}', 'recorded', 2)`,
    )
    await setMeta(store, 'kept', 'yes')
    await migrate(store)
    expect(await getMeta(store, 'kept')).toBe('yes')
    await readTo(500n)
    confirmed = false
    expect((await settle()).lost).toBe(1)
    expect(await rows('verdicts')).toEqual([{ state: 'signed', settled: null }])
  })
})
