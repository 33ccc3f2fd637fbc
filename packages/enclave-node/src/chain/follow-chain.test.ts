import type { Address, Digest, Hex } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { type ChainContribution, countContributions, findContribution } from '../state/contribution-table.js'
import { dueJobs } from '../state/job-queue.js'
import { countJobs, findJob } from '../state/job-table.js'
import { getCursor } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { poolRefinements } from '../state/refinement-table.js'
import { type ChainWithdrawal, dueErasures, givenUpRefinements } from '../state/withdrawal.js'
import type { ChainJobEvent, ChainJobFact } from './chain-port.js'
import { followChain } from './follow-chain.js'
import { inOrder } from './in-order.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const served: Address = `0x${'a'.repeat(40)}`
const foreign: Address = `0x${'b'.repeat(40)}`
const self: Address = `0x${'d'.repeat(40)}`
const registry: Address = `0x${'c'.repeat(40)}`
const word = (n: number | bigint): Hex => `0x${n.toString(16).padStart(64, '0')}`

/** A chain that can be grown, forked and made to change while it is read. */
function chainOf() {
  const hashes: Hex[] = []
  const contributions: ChainContribution[] = []
  const withdrawals: ChainWithdrawal[] = []
  let forks = 0
  const events: { block: bigint; event: ChainJobEvent }[] = []
  return {
    chainId: 1,
    registry,
    hashes,
    duringRead: (() => undefined) as () => void,
    mine(fork = forks) {
      hashes.push(word(hashes.length * 1000 + fork + 1))
    },
    contribute(id: string, pool: Address, change: Partial<ChainContribution> = {}) {
      contributions.push({
        id,
        pool,
        owner: foreign,
        blobDigest: `sha256:${'1'.repeat(64)}`,
        commitment: `sha256:${'2'.repeat(64)}`,
        schemaId: word(3),
        consentDigest: word(4),
        epoch: 1,
        locator: 'x',
        blockNumber: BigInt(hashes.length),
        blockHash: word(5),
        logIndex: 0,
        merkle: null,
        ...change,
      })
      this.mine()
    },
    propose(id: string, pools: Address[]) {
      const job = {
        id,
        consumer: foreign,
        manifestDigest: `sha256:${'6'.repeat(64)}` as const,
        locator: 'y',
        pools,
      }
      this.happen({ kind: 'proposed', id, job })
    },
    happen(fact: ChainJobFact) {
      const block = BigInt(hashes.length)
      events.push({ block, event: { ...fact, block, position: events.length } })
      this.mine()
    },
    release(node: Address, head: Digest) {
      this.happen({ kind: 'released', id: '1', node, budgetHeads: [head] })
    },
    head: async () => ({
      number: BigInt(hashes.length - 1),
      hash: hashes.at(-1) ?? word(0),
      timestamp: 0,
    }),
    blockHash: async (number: bigint) => hashes[Number(number)],
    async contributions(from: bigint, to: bigint) {
      const found = contributions.filter(({ blockNumber }) => blockNumber >= from && blockNumber <= to)
      this.duringRead()
      return found
    },
    withdraw(id: string) {
      withdrawals.push({ id, blockNumber: BigInt(hashes.length) })
      this.mine()
    },
    /** Takes the last blocks off the chain with all that they said. */
    fork(depth: number) {
      const left = BigInt(hashes.length - depth)
      hashes.splice(Number(left))
      for (const [list, blockOf] of [
        [contributions, (one: ChainContribution) => one.blockNumber],
        [withdrawals, (one: ChainWithdrawal) => one.blockNumber],
        [events, (one: { block: bigint }) => one.block],
      ] as [unknown[], (one: never) => bigint][]) {
        list.splice(0, list.length, ...list.filter((one) => blockOf(one as never) < left))
      }
      forks += 1
    },
    withdrawals: async (from: bigint, to: bigint) =>
      withdrawals.filter(({ blockNumber }) => blockNumber >= from && blockNumber <= to),
    jobEvents: async (from: bigint, to: bigint) =>
      events.filter(({ block }) => block >= from && block <= to).map(({ event }) => event),
  }
}
const follow = (chain: ReturnType<typeof chainOf>, blocksPerRead = 100) =>
  followChain({ store, chain, pools: new Set([served]), self, firstBlock: 0n, blocksPerRead })
const total = async () => (await countContributions(store)).states['seen']

describe('following the chain', () => {
  beforeEach(() =>
    store.run(
      'truncate contributions, contributors, refinements, jobs, job_events, chain_cursor, chain_blocks cascade',
    ),
  )

  it('takes each event once, in ranges, and remembers how far it came', async () => {
    const chain = chainOf()
    chain.mine()
    for (const id of ['1', '2', '3', '4', '5']) chain.contribute(id, served)
    expect(await follow(chain, 2)).toMatchObject({ blocks: 2, contributions: 1, atHead: false })
    expect(await follow(chain, 2)).toMatchObject({ blocks: 2, contributions: 2, atHead: false })
    expect(await follow(chain, 2)).toMatchObject({ blocks: 2, contributions: 2, atHead: true })
    expect(await follow(chain, 2)).toEqual({ blocks: 0, contributions: 0, jobs: 0, undone: 0, atHead: true })
    expect(await total()).toBe(5)
    expect((await getCursor(store, `1:${registry}`))?.blockNumber).toBe(5n)
  })

  it('passes over pools that it does not serve, and jobs that need one of them', async () => {
    const chain = chainOf()
    chain.contribute('1', foreign)
    chain.propose('1', [served, foreign])
    chain.propose('2', [served])
    await follow(chain)
    expect(await total()).toBe(0)
    expect(await findJob(store, '1')).toBeUndefined()
    expect((await findJob(store, '2'))?.state).toBe('seen')
  })

  it('takes in jobs over its pools and those of the homes that it knows, and looks for its own charges alone', async () => {
    const chain = chainOf()
    const unknown: Address = `0x${'e'.repeat(40)}`
    chain.propose('1', [served, foreign])
    chain.propose('2', [foreign])
    chain.propose('3', [served, unknown])
    const others = new Set([foreign])
    const known = () =>
      followChain({
        store,
        chain,
        pools: new Set([served]),
        others,
        self,
        firstBlock: 0n,
        blocksPerRead: 100,
      })
    await known()
    expect((await findJob(store, '1'))?.state).toBe('seen')
    expect(await findJob(store, '2')).toBeUndefined()
    expect(await findJob(store, '3')).toBeUndefined()
    const [own, theirs] = [`sha256:${'7'.repeat(64)}`, `sha256:${'8'.repeat(64)}`] as const
    const released = (budgetHeads: readonly Digest[]) =>
      chain.happen({ kind: 'released', id: '1', node: self, budgetHeads })
    released([own, theirs])
    await expect(known()).rejects.toEqual(expect.objectContaining({ code: 'STATE_ROLLED_BACK' }))
    await store.query(
      `insert into ledger (pool, version, head, entry) values ($1, 1, $2, '{}') on conflict do nothing`,
      [served, own],
    )
    expect(await known()).toMatchObject({ blocks: 1 })
    await store.query('delete from ledger where head = $1', [own])
  })

  it('wants every charge of its own in its ledger, not the first alone', async () => {
    const chain = chainOf()
    const [one, other] = [`sha256:${'7'.repeat(64)}`, `sha256:${'8'.repeat(64)}`] as const
    chain.propose('1', [served, served])
    chain.happen({ kind: 'released', id: '1', node: self, budgetHeads: [one, other] })
    await store.query(`insert into ledger (pool, version, head, entry) values ($1, 1, $2, '{}')`, [
      served,
      one,
    ])
    await expect(follow(chain)).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' })
    await store.run('delete from ledger')
  })

  it('reads nothing of before the contracts', async () => {
    const chain = chainOf()
    for (const id of ['1', '2', '3']) chain.contribute(id, served)
    const pools = new Set([served])
    const step = { store, chain, pools, self, firstBlock: 1n, blocksPerRead: 100 }
    expect(await followChain(step)).toMatchObject({ blocks: 2, contributions: 2 })
  })

  it('knows pools in whatever letters the chain names them', async () => {
    const upper = (pool: Address): Address => `0x${pool.slice(2).toUpperCase()}`
    const chain = chainOf()
    chain.contribute('1', upper(served))
    chain.propose('1', [upper(served)])
    chain.propose('2', [upper(served), upper(foreign)])
    const pools = new Set([served])
    const others = new Set([foreign])
    await followChain({ store, chain, pools, others, self, firstBlock: 0n, blocksPerRead: 100 })
    expect(await total()).toBe(1)
    for (const id of ['1', '2']) expect((await findJob(store, id))?.state).toBe('seen')
  })

  it('queues a job that was paid by the time it is read', async () => {
    const chain = chainOf()
    chain.propose('2', [served])
    chain.happen({ kind: 'moved', id: '2', state: 'Proposed' })
    chain.happen({ kind: 'approved', id: '2', approval: { pool: served, block: '2', price: '7' } })
    chain.happen({ kind: 'moved', id: '2', state: 'Approved' })
    chain.happen({ kind: 'moved', id: '2', state: 'Funded' })
    await follow(chain)
    expect(await findJob(store, '2')).toMatchObject({
      state: 'waiting',
      chainState: 'Funded',
      approvals: [{ pool: served, block: '2', price: '7' }],
    })
  })

  it('believes of a job no more than the blocks that it has read tell', async () => {
    const chain = chainOf()
    chain.propose('2', [served])
    chain.happen({ kind: 'moved', id: '2', state: 'Proposed' })
    chain.happen({ kind: 'moved', id: '2', state: 'Funded' })
    await follow(chain, 2)
    expect(await findJob(store, '2')).toMatchObject({ state: 'seen', chainState: 'Proposed' })
    await follow(chain, 2)
    expect((await findJob(store, '2'))?.state).toBe('waiting')
  })

  it('makes a job due at once when something happened to it', async () => {
    const chain = chainOf()
    chain.propose('2', [served])
    await follow(chain)
    await store.run('update jobs set retry_at = 99')
    expect(await dueJobs(store, ['seen'], 1)).toEqual([])
    chain.happen({ kind: 'touched', id: '2' })
    await follow(chain)
    expect((await dueJobs(store, ['seen'], 1)).length).toBe(1)
  })

  it('stops when the chain knows a charge of this node that its own ledger does not: an old disk image', async () => {
    const head: Digest = `sha256:${'e'.repeat(64)}`
    const chain = chainOf()
    chain.release(foreign, `sha256:${'f'.repeat(64)}`)
    await follow(chain)
    chain.release(self, head)
    await expect(follow(chain)).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' })
    await store.query(`insert into ledger (pool, version, entry, head) values ('p', 1, '{"job":"1"}', $1)`, [
      head,
    ])
    expect((await follow(chain)).blocks).toBe(1)
    await store.run('delete from ledger')
  })

  it.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    'undoes a reorganisation of %i blocks: it stands as if it had only ever read the chain that won',
    async (depth) => {
      const chain = chainOf()
      for (let block = 0; block < 14; block++) {
        chain.contribute(String(block + 1), served)
        await follow(chain)
      }
      chain.fork(depth)
      for (let block = 0; block <= depth; block++) {
        chain.contribute(String(15 - depth + block), served, { blobDigest: `sha256:${'9'.repeat(64)}` })
      }
      expect(await follow(chain)).toMatchObject({ undone: depth, blocks: 0, atHead: false })
      expect((await countContributions(store)).states).toMatchObject({ seen: 14 - depth, detached: depth })
      expect((await follow(chain)).contributions).toBe(depth + 1)
      const rows = await store.query(
        'select id::text, blob_digest, state from contributions order by contributions.id',
      )
      expect(rows).toEqual(
        Array.from({ length: 15 }, (_, index) => ({
          id: String(index + 1),
          blob_digest: `sha256:${(index < 14 - depth ? '1' : '9').repeat(64)}`,
          state: 'seen',
        })),
      )
    },
  )

  it('lets a contribution go on where it stood when the chain shows it again', async () => {
    const chain = chainOf()
    chain.mine()
    chain.contribute('1', served)
    await follow(chain)
    await store.run(`update contributions set state = 'judged', score = 7`)
    chain.fork(1)
    chain.mine()
    await follow(chain)
    chain.contribute('1', served)
    await follow(chain)
    expect(await findContribution(store, '1')).toMatchObject({ state: 'judged', score: 7, blockNumber: 2n })
  })

  it('undoes what was said about jobs, event by event', async () => {
    const chain = chainOf()
    chain.mine()
    chain.propose('2', [served])
    chain.happen({ kind: 'moved', id: '2', state: 'Proposed' })
    chain.happen({ kind: 'approved', id: '2', approval: { pool: served, block: '2', price: '7' } })
    chain.happen({ kind: 'moved', id: '2', state: 'Funded' })
    await follow(chain)
    expect((await findJob(store, '2'))?.state).toBe('waiting')
    chain.fork(1)
    chain.mine()
    chain.mine()
    await follow(chain)
    expect(await findJob(store, '2')).toMatchObject({
      state: 'seen',
      chainState: 'Proposed',
      approvals: [{}],
    })
    chain.fork(3)
    chain.mine()
    await follow(chain)
    expect(await findJob(store, '2')).toMatchObject({ state: 'seen', approvals: [] })
    chain.fork(3)
    for (let block = 0; block < 4; block++) chain.mine()
    await follow(chain)
    expect(await findJob(store, '2')).toBeUndefined()
  })

  it.each<[string, string, string, string]>([
    ['settled', 'Running', 'charged', `release = '{}'`],
    ['released', 'Funded', 'charged', `release = '{}'`],
    ['closed', 'Running', 'waiting', 'release = null'],
    // What was decided is never decided again.
    ['closed', 'Running', 'charged', `release = '{}', result_digest = 'x'`],
    ['closed', 'Funded', 'refusing', `release = '{}'`],
    ['refusing', 'Running', 'refusing', `release = '{}'`],
    ['charged', 'Approved', 'charged', `release = '{}'`],
  ])(
    'sends a job that is %s back when the chain only says %s: to %s (%s)',
    async (from, chainState, to, kept) => {
      const chain = chainOf()
      chain.propose('2', [served])
      chain.happen({ kind: 'moved', id: '2', state: chainState as 'Running' })
      chain.happen({ kind: 'moved', id: '2', state: 'Settled' })
      await follow(chain)
      await store.query(`update jobs set state = $1, reservation = '{}', ${kept}`, [from])
      chain.fork(1)
      chain.mine()
      chain.mine()
      await follow(chain)
      expect(await findJob(store, '2')).toMatchObject({ state: to, chainState })
    },
  )

  it('keeps a job that was charged, set aside, when its proposal is gone', async () => {
    const chain = chainOf()
    chain.mine()
    chain.propose('2', [served])
    await follow(chain)
    await store.query(`update jobs set state = 'charged', reservation = '{}'`)
    chain.fork(1)
    chain.mine()
    await follow(chain)
    expect(await findJob(store, '2')).toMatchObject({ state: 'charged', detached: true })
    expect(await dueJobs(store, ['charged'], 99)).toEqual([])
    // Nobody waits for it: it is not counted among the charged ones.
    expect(await countJobs(store)).toEqual({ detached: 1 })
  })

  it('takes a withdrawal in, and takes it back when its block is gone', async () => {
    const chain = chainOf()
    chain.contribute('1', served)
    chain.contribute('2', served)
    await follow(chain)
    await store.run(`update contributions set state = 'refined', refinement = 1`)
    await store.run(`insert into refinements (id, pool, schema_id, digest, parts, contributions, rows, statement, state)
      values (1, '${served}', 'x', 'x', '[{"file":"f"}]', '["1","2"]', 2, '{}', 'recorded')`)
    chain.withdraw('1')
    await follow(chain)
    expect(await findContribution(store, '1')).toMatchObject({ state: 'withdrawn' })
    expect(await findContribution(store, '2')).toMatchObject({ state: 'recorded' })
    expect(await poolRefinements(store, served)).toEqual([])
    expect(await givenUpRefinements(store)).toMatchObject([{ id: '1', parts: [{ file: 'f' }] }])
    // Its rows are still on the disk: nothing is said to be erased.
    expect(await dueErasures(store)).toEqual([])
    chain.fork(1)
    chain.mine()
    await follow(chain)
    expect(await findContribution(store, '1')).toMatchObject({ state: 'recorded' })
  })

  it('reads anew what went away and came back, also where the chain between the two was shorter', async () => {
    const chain = chainOf()
    chain.mine()
    const ids = ['1', '2', '3', '4', '5']
    for (const id of ids) {
      chain.contribute(id, served)
      await follow(chain)
    }
    const before = [...chain.hashes]
    chain.fork(4)
    chain.mine()
    expect(await follow(chain)).toMatchObject({ undone: 4 })
    await follow(chain)
    expect(await total()).toBe(1)
    chain.fork(1)
    for (const id of ids.slice(1)) chain.contribute(id, served)
    chain.hashes.splice(0, chain.hashes.length, ...before)
    expect(await follow(chain)).toMatchObject({ undone: 1 })
    expect(await follow(chain)).toMatchObject({ contributions: 4, atHead: true })
    expect(await total()).toBe(5)
  })

  it('stays where it is while an endpoint is behind', async () => {
    const chain = chainOf()
    for (const id of ['1', '2', '3']) chain.contribute(id, served)
    await follow(chain)
    const behind = {
      ...chain,
      head: async () => ({ number: 1n, hash: chain.hashes[1] ?? word(0), timestamp: 0 }),
    }
    expect(await follow(behind)).toMatchObject({ blocks: 0, atHead: true })
    expect((await getCursor(store, `1:${registry}`))?.blockNumber).toBe(2n)
  })

  const remembered = async () =>
    (await store.query('select block_number::integer as number from chain_blocks order by block_number')).map(
      ({ number }) => number,
    )

  it('asks for the hash of each block only near the head, and there of the newest 65', async () => {
    const chain = chainOf()
    for (let block = 0; block < 200; block++) chain.mine()
    let asked = 0
    const counted: typeof chain = {
      ...chain,
      blockHash: async (number) => {
        asked += 1
        return chain.blockHash(number)
      },
    }
    await follow(counted, 100)
    expect([asked, await remembered()]).toEqual([2, [99]])
    await follow(counted, 100)
    expect(await remembered()).toEqual([99, ...Array.from({ length: 65 }, (_, index) => 135 + index)])
    expect(asked).toBe(2 + 3 + 64)
    // And of what was read before none again.
    chain.mine()
    await follow(counted, 100)
    expect(asked).toBe(2 + 3 + 64 + 3)
  })

  it('remembers no block that the endpoint does not have', async () => {
    const chain = chainOf()
    for (let block = 0; block < 4; block++) chain.mine()
    await follow({
      ...chain,
      blockHash: async (number) => (number === 1n ? undefined : chain.blockHash(number)),
    })
    expect(await remembered()).toEqual([0, 2, 3])
  })

  it('takes nothing of a range whose last block the endpoint does not have', async () => {
    const chain = chainOf()
    chain.contribute('1', served)
    expect(await follow({ ...chain, blockHash: async () => undefined })).toMatchObject({ blocks: 0 })
    expect(await total()).toBe(0)
  })

  it('forgets all blocks but the newest 512', async () => {
    const chain = chainOf()
    for (let block = 0; block < 600; block++) chain.mine()
    await follow(chain, 1_000)
    await store.run(
      `insert into chain_blocks (chain, block_number, block_hash) select '1:${registry}', n, '0x' from generate_series(0, 534) n`,
    )
    chain.mine()
    await follow(chain)
    const [oldest, ...others] = await remembered()
    expect([oldest, others.length]).toEqual([89, 511])
  })

  it('stops when nothing that it remembers is on the chain any more', async () => {
    const chain = chainOf()
    chain.contribute('1', served)
    await follow(chain)
    chain.fork(1)
    chain.mine()
    chain.mine()
    await expect(follow(chain)).rejects.toMatchObject({ code: 'CHAIN_REORGANISED' })
  })

  it('keeps nothing of a range whose last block changed while it was read', async () => {
    const chain = chainOf()
    chain.contribute('1', served)
    chain.duringRead = () => {
      chain.hashes.pop()
      chain.mine(7)
    }
    expect(await follow(chain)).toEqual({ blocks: 0, contributions: 0, jobs: 0, undone: 0, atHead: false })
    expect(await total()).toBe(0)
    chain.duringRead = () => undefined
    await follow(chain)
    expect(await total()).toBe(1)
  })
})

describe('tasks in order', () => {
  it('run one after the other, also after one failed', async () => {
    const run = inOrder()
    const seen: string[] = []
    const task =
      (name: string, fails = false) =>
      async () => {
        seen.push(`${name} begins`)
        await new Promise((done) => setTimeout(done, 1))
        seen.push(`${name} ends`)
        if (fails) throw new Error(name)
        return name
      }
    const results = await Promise.allSettled([run(task('a')), run(task('b', true)), run(task('c'))])
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })
})
