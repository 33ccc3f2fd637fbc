import { fileURLToPath } from 'node:url'
import { memoryBlobStore } from '@sealpool/client'
import {
  type Address,
  deriveKeyPair,
  type Hex,
  hpkeRecipient,
  parseHeader,
  platformRandom,
  sealBytes,
  walletRecipient,
} from '@sealpool/crypto'
import { type PocVerdict, parsePocVerdict } from '@sealpool/poc'
import { bundlePoc } from '@sealpool/poc/bundle'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { nodeSigner } from '../key/node-signer.js'
import { aesRowCipher } from '../state/aes-row-cipher.js'
import { findContribution, insertContribution } from '../state/contribution-table.js'
import { migrate } from '../state/migration.js'
import { openSealedStore } from '../state/sealed-store.js'
import type { StateStore } from '../state/state-store.js'
import { findVerdict } from '../state/verdict-table.js'
import { undoContributions, withdrawContribution } from '../state/withdrawal.js'
import { chainContribution, keys } from '../testing/job-fixture.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { contentIndexes } from './content-indexes.js'
import { eraseWithdrawn } from './erase-withdrawn.js'
import type { IngestContext } from './ingest-context.js'
import { judgeBatch } from './judge-batch.js'
import { keyScope, type ServedPool } from './served-pool.js'

const newStore = memoryStores()
const wallet = deriveKeyPair(new Uint8Array(32).fill(3)).publicKey
/** Time of block 1; the others follow each second. */
const blockOne = 1_700_000_000
const hashOf = (block: number): Hex => `0x${block.toString(16).padStart(64, '0')}`

let runtime: JobRuntime
let memory: StateStore
let pool: ServedPool
let context: IngestContext
let blobs: ReturnType<typeof memoryBlobStore>
let missingBlocks: Set<Hex>
let whileOpening: (() => Promise<void>) | undefined

/** The state at rest, opened as a start does. */
async function sealed(durable: StateStore): Promise<StateStore> {
  const store = await openSealedStore({
    durable: { ...durable, close: async () => undefined },
    openWorking: newStore,
    cipherOf: (id) => aesRowCipher({ key: new Uint8Array(32).fill(5), store: id, random: platformRandom }),
    random: platformRandom,
  })
  await migrate(store)
  return store
}

/** A node that has just started on a state. */
function start(store: StateStore): void {
  context = {
    store,
    chain: {
      blockTime: async (hash: Hex) => {
        if (missingBlocks.has(hash)) throw new NodeError('CHAIN_CALL_FAILED', 'block', 'not there')
        return blockOne - 1 + Number(BigInt(hash))
      },
      recordErasure: async () => null,
    },
    blobStore: {
      ...blobs,
      get: async (...asked: Parameters<typeof blobs.get>) => {
        await whileOpening?.()
        return blobs.get(...asked)
      },
    },
    keys,
    sign: nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry: addressOfDigit('f') }),
    runtime,
    contents: contentIndexes(),
    parts: { remove: async () => undefined },
    limits: { proof: { memoryBytes: 2 ** 26, timeMs: 30_000, outputBytes: 65_536 } },
    settings: {
      concurrency: 2,
      batchSize: 50,
      maximumBlobBytes: 1_000_000,
      missingBlobTries: 1,
      missingBlobWaitSeconds: 0,
    },
    now: () => blockOne + 1_000_000_000,
  } as unknown as IngestContext
}

beforeAll(async () => {
  memory = await newStore()
  await migrate(memory)
  runtime = await createQuickJsRuntime()
  const entry = fileURLToPath(new URL('../testing/fixture/days-proof.ts', import.meta.url))
  const { code, digest } = await bundlePoc({ entry })
  pool = { ...servedPoolFixture(), poc: { code, digest } }
})
afterAll(async () => {
  await runtime.close()
  await memory.close()
})
beforeEach(async () => {
  await memory.run('truncate contributions, contributors, verdict_batches, meta cascade')
  blobs = memoryBlobStore()
  missingBlocks = new Set()
  whileOpening = undefined
  start(memory)
})

/** Thirty days of steps of one person; `copied` of them are another person's. */
const daysOf = (person: number, copied = 0, of = 0) =>
  Array.from({ length: 30 }, (_, day) => {
    const whose = day < copied ? of : person
    return { day: `${whose}-${day}`, steps: 1_000 + whose * 500 + day * 37 }
  })

interface Export {
  readonly days: ReturnType<typeof daysOf>
  readonly account?: string
  readonly expires?: number
  readonly owner?: Address
  readonly merkle?: { readonly batch: string; readonly index: number }
}

/** Puts a contribution on the chain, in the block of its number. */
async function contribute(
  id: string,
  { days, account, expires = blockOne + 1_000, owner = addressOfDigit(id), merkle }: Export,
): Promise<void> {
  const text = JSON.stringify({ ...(account === undefined ? {} : { account }), expires, days })
  const sealed = await sealBytes(new TextEncoder().encode(text), {
    recipients: [
      hpkeRecipient({ publicKey: keys.poolKey(keyScope(pool, 1)).publicKey }),
      walletRecipient({ publicKey: wallet, address: owner }),
    ],
    context: {
      chainId: pool.chainId,
      pool: pool.address,
      policyDigest: pool.policyDigest,
      epoch: 1,
      mediaType: 'application/json',
    },
    random: platformRandom,
  })
  const { locator, digest } = await blobs.put(sealed)
  const block = Number(id)
  await context.store.transaction((tx) =>
    insertContribution(
      tx,
      chainContribution({
        id,
        owner,
        blobDigest: digest,
        commitment: parseHeader(sealed).context.commitment,
        locator,
        blockNumber: BigInt(block),
        blockHash: hashOf(block),
        merkle: merkle ?? null,
      }),
    ),
  )
}
const judge = async (): Promise<void> => {
  while ((await judgeBatch(context, pool)) > 0);
}
async function verdictOn(id: string): Promise<PocVerdict> {
  const kept = await findVerdict(context.store, id)
  if (kept === undefined) throw new Error(`no verdict on ${id}`)
  return parsePocVerdict(kept.statement.body)
}
const noveltyOf = async (id: string) => (await verdictOn(id)).uniqueness
const contributorOf = async (id: string) => (await findContribution(context.store, id))?.contributor
const withdraw = (id: string) =>
  context.store.transaction((tx) => withdrawContribution(tx, { id, blockNumber: 90n }))
const countOf = async (table: string) =>
  Number((await context.store.query(`select count(*) as count from ${table}`))[0]?.['count'])

describe('a contribution is judged by the time of its block', () => {
  it('and by no clock', async () => {
    // The clock of the node is far past both.
    await contribute('3', { days: daysOf(1), expires: blockOne + 2 })
    await contribute('4', { days: daysOf(2), expires: blockOne + 2 })
    await judge()
    expect(await verdictOn('3')).toMatchObject({ valid: true })
    expect(await verdictOn('4')).toMatchObject({ valid: false, refusal: { code: 'EXPIRED' } })
  })

  it('and not at all while its block is not to be had', async () => {
    await contribute('1', { days: daysOf(1) })
    missingBlocks.add(hashOf(1))
    await expect(judgeBatch(context, pool)).rejects.toMatchObject({ code: 'CHAIN_CALL_FAILED' })
    expect((await findContribution(context.store, '1'))?.state).toBe('seen')
    missingBlocks.clear()
    await judge()
    expect(await verdictOn('1')).toMatchObject({ valid: true })
  })
})

describe('a near copy adds little', () => {
  const pairs = async (between: () => Promise<void>) => {
    await contribute('1', { days: daysOf(1) })
    await between()
    await contribute('2', { days: daysOf(2, 27, 1) })
    await judge()
    expect(await noveltyOf('1')).toBe(1)
    expect(await noveltyOf('2')).toBeLessThan(0.2)
  }
  it('in the batch of its original', () => pairs(async () => undefined))
  it('in a later batch', () => pairs(judge))
  it('after a restart on the state at rest', async () => {
    const durable = await newStore()
    start(await sealed(durable))
    await pairs(async () => {
      await judge()
      await context.store.close()
      start(await sealed(durable))
    })
    await context.store.close()
    await durable.close()
  })

  it('also one that is put together of the pieces of many', async () => {
    for (const person of [1, 2, 3]) await contribute(String(person), { days: daysOf(person) })
    await judge()
    const pieces = [1, 2, 3].flatMap((person) => daysOf(person).slice(0, 10))
    await contribute('4', { days: pieces })
    await judge()
    expect(await noveltyOf('4')).toBe(0)
  })

  it('but not of what was refused', async () => {
    await contribute('1', { days: daysOf(1), expires: 0 })
    await contribute('2', { days: daysOf(2, 27, 1) })
    await judge()
    expect(await noveltyOf('2')).toBe(1)
    expect(await countOf('content_prints')).toBe(1)
  })

  it('but not of what its owner took back', async () => {
    await contribute('1', { days: daysOf(1) })
    await contribute('2', { days: daysOf(2) })
    await judge()
    await withdraw('1')
    await contribute('3', { days: daysOf(3, 27, 1) })
    await contribute('4', { days: daysOf(4, 27, 2) })
    await judge()
    expect(await noveltyOf('3')).toBe(1)
    expect(await noveltyOf('4')).toBeLessThan(0.2)
  })

  it('but not of what a reorganisation took away, and again of what it gave back', async () => {
    await contribute('1', { days: daysOf(1) })
    await contribute('2', { days: daysOf(2) })
    await judge()
    const kept = await findContribution(context.store, '2')
    await context.store.transaction((tx) => undoContributions(tx, 1n))
    await contribute('3', { days: daysOf(3, 27, 2) })
    await judge()
    expect(await noveltyOf('3')).toBe(1)
    if (kept === undefined) throw new Error('it was there')
    await context.store.transaction((tx) => insertContribution(tx, { ...kept, blockNumber: 9n }))
    await contribute('4', { days: daysOf(4, 27, 2) })
    await judge()
    expect(await noveltyOf('4')).toBeLessThan(0.2)
  })

  it('and is not compared with itself when it is judged again', async () => {
    await contribute('1', { days: daysOf(1) })
    await judge()
    await context.store.query(`update contributions set state = 'seen'`)
    context.contents.forget(pool.address)
    await judge()
    expect(await noveltyOf('1')).toBe(1)
    expect(await countOf('content_prints')).toBe(1)
  })
})

describe('what changes while a batch is judged', () => {
  it('has it judged anew: nothing of it is stored', async () => {
    await contribute('1', { days: daysOf(1) })
    await judge()
    await contribute('2', { days: daysOf(2, 27, 1) })
    let withdrawn = false
    whileOpening = async () => {
      if (withdrawn) return
      withdrawn = true
      await withdraw('1')
    }
    expect(await judgeBatch(context, pool)).toBe(1)
    expect(await findVerdict(context.store, '2')).toBeUndefined()
    await judge()
    expect(await noveltyOf('2')).toBe(1)
  })

  it('and a batch that is not stored leaves no trace in the index', async () => {
    await contribute('1', { days: daysOf(1) })
    const { store } = context
    const failing = { ...store, transaction: () => Promise.reject(new Error('the disk is full')) }
    await expect(judgeBatch({ ...context, store: failing }, pool)).rejects.toThrow('full')
    await judge()
    expect(await noveltyOf('1')).toBe(1)
  })
})

describe('an account', () => {
  it.each([
    ['in one batch', async () => undefined],
    ['in two batches', judge],
  ])('is the first wallet’s (%s)', async (_, between) => {
    await contribute('1', { days: daysOf(1), account: 'Ann' })
    await between()
    await contribute('2', { days: daysOf(2), account: 'ann ' })
    await contribute('3', { days: daysOf(3), account: 'ann', owner: addressOfDigit('1') })
    await judge()
    expect(await verdictOn('2')).toMatchObject({
      valid: false,
      refusal: { code: 'ACCOUNT_OF_ANOTHER_WALLET', place: 'account' },
    })
    expect(await verdictOn('3')).toMatchObject({ valid: true })
    expect(await countOf('account_claims')).toBe(2)
    const [claim] = await context.store.query('select account from account_claims')
    expect(claim?.['account']).toMatch(/^[0-9a-f]{64}$/)
  })

  it('of several wallets is one contributor where the pool merges them', async () => {
    pool = { ...pool, accountRule: 'merge' }
    try {
      await contribute('1', { days: daysOf(1), account: 'ann' })
      await contribute('2', { days: daysOf(2), account: 'ann' })
      await contribute('3', { days: daysOf(3), account: 'bob' })
      await judge()
      expect(await verdictOn('2')).toMatchObject({ valid: true })
      expect([await contributorOf('1'), await contributorOf('2'), await contributorOf('3')]).toEqual([
        1, 1, 3,
      ])
      // The person stays one, whoever withdraws.
      await withdraw('1')
      await contribute('4', { days: daysOf(4), account: 'ann' })
      await judge()
      expect(await contributorOf('4')).toBe(1)
    } finally {
      pool = { ...pool, accountRule: 'first-wallet' }
    }
  })

  it('is free again once its contributions are withdrawn or gone', async () => {
    await contribute('1', { days: daysOf(1), account: 'ann' })
    await contribute('2', { days: daysOf(2), account: 'bob' })
    await judge()
    await context.store.transaction((tx) => undoContributions(tx, 1n))
    await withdraw('1')
    await contribute('3', { days: daysOf(3), account: 'ann' })
    await contribute('4', { days: daysOf(4), account: 'bob' })
    await judge()
    expect(await verdictOn('3')).toMatchObject({ valid: true })
    expect(await verdictOn('4')).toMatchObject({ valid: true })
  })

  it('without a name costs its contribution and holds up nobody', async () => {
    await contribute('1', { days: daysOf(1), account: '\u200b' })
    await contribute('2', { days: daysOf(2), account: 'ann' })
    await judge()
    expect(await verdictOn('1')).toMatchObject({
      valid: false,
      refusal: { code: 'PROOF_FAILED', place: 'account' },
    })
    expect(await verdictOn('2')).toMatchObject({ valid: true })
  })
})

describe('what is erased', () => {
  it('has neither prints nor an account any more, whichever way it came', async () => {
    await contribute('1', { days: daysOf(1), account: 'ann' })
    await contribute('2', { days: daysOf(2), account: 'bob', merkle: { batch: '1', index: 0 } })
    await contribute('3', { days: daysOf(3), account: 'eve' })
    await judge()
    expect([await countOf('content_prints'), await countOf('account_claims')]).toEqual([3, 3])
    await withdraw('1')
    await withdraw('2')
    expect(await eraseWithdrawn(context, new Map([[pool.address, pool]]))).toBe(2)
    expect([await countOf('content_prints'), await countOf('account_claims')]).toEqual([1, 1])
    expect(await eraseWithdrawn(context, new Map([[pool.address, pool]]))).toBe(0)
  })
})
