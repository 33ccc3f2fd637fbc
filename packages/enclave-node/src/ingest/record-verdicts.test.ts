import type { Address, Digest } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { ChainPort } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { nodeSigner } from '../key/node-signer.js'
import { findContribution, insertContribution, markJudged } from '../state/contribution-table.js'
import { merkleVerdictsIn } from '../state/merkle-verdict-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { unrecordedBatches } from '../state/verdict-table.js'
import { dueErasures, undoContributions, withdrawContribution } from '../state/withdrawal.js'
import { chainContribution, keys, pool } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { eraseWithdrawn } from './erase-withdrawn.js'
import type { IngestContext } from './ingest-context.js'
import { recordMerkleVerdicts, signMerkleVerdicts } from './merkle-verdicts.js'
import { recordVerdicts } from './record-verdicts.js'
import { storeVerdictBatch } from './verdict-batch.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

let calls: string[]
let gone: boolean
let removed: string[]
const chain = {
  recordVerdicts: async ({ id, entries }: { id: string; entries: readonly { contributionId: string }[] }) => {
    if (gone && entries.length > 1) throw new NodeError('ENTRIES_GONE', `batch ${id}`, 'gone')
    calls.push(`batch ${entries.map(({ contributionId }) => contributionId).join()}`)
    return { hash: '0x1', block: 5n }
  },
  recordVerdictRoot: async ({ batch, root }: { batch: string; root: string }) => {
    calls.push(`root ${batch} ${root.slice(0, 6)}`)
    return { hash: '0x1', block: 5n }
  },
  payVerdicts: async ({ verdicts }: { verdicts: readonly { index: number }[] }) => {
    calls.push(`pay ${verdicts.map(({ index }) => index).join()}`)
  },
  recordErasure: async ({ contribution }: { contribution: string }) => {
    calls.push(`erased ${contribution}`)
    return { hash: '0x1', block: 5n }
  },
} as unknown as ChainPort
const context = {
  store,
  chain,
  sign: nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry: addressOfDigit('f') }),
  parts: {
    remove: async (_: unknown, parts: readonly { file: string }[]) =>
      void removed.push(...parts.map(({ file }) => file)),
    list: async function* () {},
  },
} as unknown as IngestContext
const served = new Map<Address, typeof pool>([[pool.address, pool]])
const verdict: Digest = digestOfDigit('3')

/** Puts contributions in as judged; `score` 0 means refused. */
async function judged(
  entries: readonly {
    readonly id: string
    readonly score: number
    readonly merkle?: { batch: string; index: number }
  }[],
): Promise<void> {
  for (const { id, merkle } of entries) {
    await insertContribution(
      store,
      chainContribution({ id, owner: addressOfDigit(id.slice(-1)), merkle: merkle ?? null }),
    )
  }
  const single = entries.filter(({ merkle }) => merkle === undefined)
  await store.transaction(async (tx) => {
    const lines = single.map(({ id, score }) => ({
      contributionId: id,
      score,
      refused: score === 0,
      verdictDigest: verdict,
    }))
    const batch = lines.length === 0 ? null : await storeVerdictBatch(context, tx, pool.address, lines)
    for (const { id, score, merkle } of entries) {
      const reason = score === 0 ? 'PROOF_REFUSED' : null
      await markJudged(tx, id, {
        score,
        verdictDigest: verdict,
        batch: merkle === undefined ? batch : null,
        reason,
        reasonText: reason,
      })
    }
  })
}
const stateOf = async (id: string) => (await findContribution(store, id))?.state

beforeEach(async () => {
  calls = []
  gone = false
  removed = []
  await store.run(
    'truncate contributions, contributors, verdict_batches, merkle_verdicts, exclusive_statements, refinements cascade',
  )
})

describe('a batch of verdicts', () => {
  it('is sent whole, once', async () => {
    await judged([
      { id: '1', score: 9 },
      { id: '2', score: 0 },
    ])
    expect(await recordVerdicts(context)).toBe(1)
    expect(await recordVerdicts(context)).toBe(0)
    expect(calls).toEqual(['batch 1,2'])
    expect([await stateOf('1'), await stateOf('2')]).toEqual(['recorded', 'refused'])
  })

  it('is replaced by one of the others when a contribution in it was withdrawn', async () => {
    await judged([
      { id: '1', score: 9 },
      { id: '2', score: 9 },
    ])
    await withdrawContribution(store, { id: '1', blockNumber: 4n })
    await recordVerdicts(context)
    await recordVerdicts(context)
    expect(calls).toEqual(['batch 2'])
    expect([await stateOf('1'), await stateOf('2')]).toEqual(['withdrawn', 'recorded'])
  })

  it('waits when the chain refuses it and the node has not read yet why', async () => {
    await judged([
      { id: '1', score: 9 },
      { id: '2', score: 9 },
    ])
    gone = true
    expect(await recordVerdicts(context)).toBe(0)
    expect(await unrecordedBatches(store)).toHaveLength(1)
    await withdrawContribution(store, { id: '2', blockNumber: 4n })
    await recordVerdicts(context)
    await recordVerdicts(context)
    expect(calls).toEqual(['batch 1'])
  })

  it('never tells its verdict on another contribution that got the same number', async () => {
    await judged([
      { id: '1', score: 9 },
      { id: '2', score: 9 },
    ])
    await recordVerdicts(context)
    await undoContributions(store, 0n)
    await insertContribution(store, chainContribution({ id: '1', owner: addressOfDigit('1') }))
    await insertContribution(store, chainContribution({ id: '2', owner: addressOfDigit('9') }))
    calls = []
    await recordVerdicts(context)
    await recordVerdicts(context)
    expect(calls).toEqual(['batch 1'])
    expect(await findContribution(store, '2')).toMatchObject({
      state: 'seen',
      score: null,
      owner: addressOfDigit('9'),
    })
  })

  it('is sent again when the block that recorded it is gone, and only then', async () => {
    await judged([{ id: '1', score: 9 }])
    await recordVerdicts(context)
    await undoContributions(store, 5n)
    expect(await unrecordedBatches(store)).toEqual([])
    await store.run('update contributions set block_number = 1')
    await undoContributions(store, 4n)
    expect(await unrecordedBatches(store)).toHaveLength(1)
  })
})

describe('verdicts on a Merkle batch', () => {
  const batch = '7'
  const entry = (index: number, score: number) => ({ id: `10${index}`, score, merkle: { batch, index } })

  it('are told when every entry is decided: a root, then payments for what is worth something', async () => {
    await judged([entry(0, 9), entry(2, 0)])
    await insertContribution(store, chainContribution({ id: '101', merkle: { batch, index: 1 } }))
    expect(await signMerkleVerdicts(context, pool)).toBe(0)
    await store.run(`delete from contributions where id = 101`)
    await judged([entry(1, 8)])
    expect(await signMerkleVerdicts(context, pool)).toBe(1)
    expect(await signMerkleVerdicts(context, pool)).toBe(0)
    expect(await recordMerkleVerdicts(context)).toBe(2)
    expect(await recordMerkleVerdicts(context)).toBe(0)
    expect(calls).toEqual([expect.stringMatching(/^root 7 0x/), 'pay 0,1'])
    expect([await stateOf('100'), await stateOf('101'), await stateOf('102')]).toEqual([
      'recorded',
      'recorded',
      'refused',
    ])
  })

  it('say so when nothing was accepted, and pay nothing', async () => {
    await judged([entry(0, 0)])
    await signMerkleVerdicts(context, pool)
    await recordMerkleVerdicts(context)
    expect(calls).toEqual(['root 7 0x7365', 'pay '])
  })

  it('are not told while an entry is off the chain', async () => {
    await judged([entry(0, 9)])
    await signMerkleVerdicts(context, pool)
    await undoContributions(store, 0n)
    expect(await merkleVerdictsIn(store, 'signed')).toEqual([])
    await insertContribution(
      store,
      chainContribution({ id: '100', owner: addressOfDigit('0'), merkle: { batch, index: 0 } }),
    )
    expect(await merkleVerdictsIn(store, 'signed')).toHaveLength(1)
  })

  /** The batch is undone and its place comes again, judged with another score. */
  const again = async (owner: string) => {
    await judged([entry(0, 9)])
    await signMerkleVerdicts(context, pool)
    const before = await findContribution(store, '100')
    const first = await merkleVerdictsIn(store, 'signed')
    await undoContributions(store, 0n)
    const place = { id: '100', merkle: { batch, index: 0 } } as const
    if (before === undefined) throw new Error('the batch is known')
    const { blobDigest, commitment, consentDigest } = before
    const about = owner === 'same' ? { owner: before.owner, blobDigest, commitment, consentDigest } : {}
    await insertContribution(store, chainContribution({ ...place, owner: addressOfDigit('8'), ...about }))
    const found = { score: 5, verdictDigest: verdict, batch: null, reason: null, reasonText: null }
    await markJudged(store, '100', found)
    await signMerkleVerdicts(context, pool)
    return first
  }

  it('are signed for another batch of the same number: they are about its entries', async () => {
    await again('other')
    expect(await merkleVerdictsIn(store, 'signed')).toHaveLength(1)
    expect(await findContribution(store, '100')).toMatchObject({ state: 'judged' })
  })

  it('are never signed a second time for the same entries: what was signed stands', async () => {
    const first = await again('same')
    expect(await merkleVerdictsIn(store, 'signed')).toEqual(first)
  })
})

describe('a block that stays', () => {
  it('keeps what it said: only later ones are undone', async () => {
    await judged([
      { id: '1', score: 9 },
      { id: '2', score: 9 },
    ])
    await store.run(`update contributions set block_number = id`)
    await withdrawContribution(store, { id: '1', blockNumber: 4n })
    await undoContributions(store, 4n)
    expect(await stateOf('1')).toBe('withdrawn')
    await undoContributions(store, 2n)
    expect([await stateOf('1'), await stateOf('2')]).toEqual(['judged', 'judged'])
    await undoContributions(store, 1n)
    expect([await stateOf('1'), await stateOf('2')]).toEqual(['judged', 'detached'])
  })
})

describe('an erasure', () => {
  it('is stated again when its block is gone', async () => {
    await judged([{ id: '1', score: 9 }])
    await withdrawContribution(store, { id: '1', blockNumber: 4n })
    await eraseWithdrawn(context, served)
    await undoContributions(store, 5n)
    expect(await dueErasures(store)).toEqual([])
    await undoContributions(store, 4n)
    expect(await dueErasures(store)).toEqual([{ id: '1', pool: pool.address }])
  })

  it('is stated when the files are gone, once', async () => {
    await judged([{ id: '1', score: 9 }])
    await store.run(`insert into refinements (id, pool, schema_id, digest, parts, contributions, rows, statement, state)
      values (1, '${pool.address}', 'x', 'x', '[{"table":"workers","file":"1-workers.parquet","rows":1}]', '["1"]', 1, '{}',
      'recorded')`)
    await store.run(`update contributions set state = 'refined', refinement = 1`)
    await withdrawContribution(store, { id: '1', blockNumber: 4n })
    expect(await dueErasures(store)).toEqual([])
    expect(await eraseWithdrawn(context, new Map())).toBe(0)
    expect(await eraseWithdrawn(context, served)).toBe(2)
    expect(await eraseWithdrawn(context, served)).toBe(0)
    expect(removed).toEqual(['1-workers.parquet'])
    expect(calls).toEqual(['erased 1'])
    expect(await store.query('select 1 from verdicts where contribution = 1')).toEqual([])
  })

  it('of what the refiner had refused, or what was never judged, needs no files', async () => {
    await judged([{ id: '1', score: 9 }])
    await store.run(`update contributions set state = 'refined', refinement = 1, reason = 'REFINER_REFUSED'`)
    await insertContribution(store, chainContribution({ id: '2', owner: addressOfDigit('2') }))
    await withdrawContribution(store, { id: '1', blockNumber: 4n })
    await withdrawContribution(store, { id: '2', blockNumber: 4n })
    expect(await withdrawContribution(store, { id: '2', blockNumber: 4n })).toBe(false)
    expect(await withdrawContribution(store, { id: '9', blockNumber: 4n })).toBe(false)
    await eraseWithdrawn(context, served)
    expect(calls).toEqual(['erased 1', 'erased 2'])
  })

  it('is not stated for entries of Merkle batches, for which the chain has no such statement', async () => {
    await judged([{ id: '100', score: 9, merkle: { batch: '7', index: 0 } }])
    await withdrawContribution(store, { id: '100', blockNumber: 4n })
    expect(await eraseWithdrawn(context, served)).toBe(0)
  })
})
