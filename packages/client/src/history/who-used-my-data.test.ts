import { dataRegistryAbi, jobBoardAbi } from '@sealpool/contracts'
import { type Digest, digestOf, digestToHex, type JsonObject } from '@sealpool/crypto'
import {
  type Abi,
  createClient,
  custom,
  encodeAbiParameters,
  encodeEventTopics,
  type Hex,
  isAddressEqual,
} from 'viem'
import { describe, expect, test } from 'vitest'
import { createPoolClient, memoryBlobStore } from '../index.js'
import { account } from '../testing/contribution.js'
import { receiptBundle } from '../testing/receipt-bundle.js'
import { at, deployment, node, policy, pool, trust } from '../testing/simulated-pool.js'
import { whoUsedMyData } from './who-used-my-data.js'

/* Real receipts (simulated node), real ABI encoding, events as a chain would give them. */

const { bundle, recorded } = receiptBundle()
const manifestDigest = digestOf(bundle.manifest as JsonObject)
const other = `0x${'99'.repeat(20)}` as const
const zero: Hex = `0x${'00'.repeat(32)}`

function log(abi: Abi, eventName: string, args: Record<string, unknown>, address: Hex, blockNumber: number) {
  const event = abi.find((entry) => entry.type === 'event' && entry.name === eventName)
  if (event?.type !== 'event') throw new Error(`no event ${eventName}`)
  const plain = event.inputs.filter(({ indexed }) => indexed !== true)
  return {
    address,
    blockNumber: `0x${blockNumber.toString(16)}`,
    blockHash: zero,
    transactionHash: digestToHex(digestOf(`${eventName} ${blockNumber}`)),
    transactionIndex: '0x0',
    logIndex: '0x0',
    removed: false,
    topics: encodeEventTopics({ abi, eventName, args } as never),
    data: encodeAbiParameters(plain, plain.map(({ name }) => args[name ?? '']) as never),
  }
}
const contributed = (id: bigint, owner: Hex) =>
  log(
    dataRegistryAbi as Abi,
    'Contributed',
    {
      id,
      pool,
      owner,
      blobDigest: zero,
      commitment: zero,
      schemaId: zero,
      consentDigest: zero,
      epoch: 1,
      locator: 'x',
      nonce: id,
    },
    deployment.dataRegistry,
    1,
  )
const judged = (id: bigint, owner: Hex, verdict: Digest, refused = false) =>
  log(
    dataRegistryAbi as Abi,
    'VerdictRecorded',
    { id, pool, owner, score: refused ? 0 : 10_000, refused, verdictDigest: digestToHex(verdict) },
    deployment.dataRegistry,
    2,
  )
const proposed = (id: bigint, manifest = manifestDigest, pools: readonly Hex[] = [pool]) =>
  log(
    jobBoardAbi as Abi,
    'JobProposed',
    {
      id,
      consumer: other,
      manifestDigest: digestToHex(manifest),
      manifestLocator: 'x',
      pools,
      priceCeiling: 1n,
      deadline: 9n,
    },
    deployment.jobBoard,
    3,
  )
const released = (id: bigint, receipt = recorded) =>
  log(
    jobBoardAbi as Abi,
    'JobReleased',
    {
      id,
      node: node.keySet.statement.address,
      receiptDigest: digestToHex(receipt),
      resultDigest: zero,
      budgetHeads: [],
    },
    deployment.jobBoard,
    4,
  )

type Log = ReturnType<typeof log>
const usual = [
  contributed(1n, account.address),
  judged(1n, account.address, digestOf('verdict 1')),
  proposed(7n),
  released(7n),
]

function chainOf(logs: readonly Log[]) {
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    if (method === 'eth_blockNumber') return '0x9'
    if (method === 'eth_getBlockByNumber') return { number: '0x5', hash: zero, transactions: [] }
    const [{ address, topics = [] }] = params as [{ address: Hex | Hex[]; topics?: (Hex | null)[] }]
    return logs.filter(
      (one) =>
        [address].flat().some((each) => isAddressEqual(one.address, each)) &&
        topics.every((topic, index) => topic === null || Array.isArray(topic) || one.topics[index] === topic),
    )
  }
  return createClient({ transport: custom({ request }, { retryCount: 0 }) })
}

function ask(logs: readonly Log[], given: Partial<Parameters<typeof whoUsedMyData>[0]> = {}) {
  return whoUsedMyData({
    chain: chainOf(logs),
    deployment,
    pool,
    owner: account.address,
    receiptOf: async () => bundle,
    trust,
    at,
    ...given,
  })
}

describe('whoUsedMyData', () => {
  test('names the job, its purpose and the contributions that it worked on', async () => {
    expect(await ask(usual)).toEqual([
      {
        jobId: 7n,
        consumer: other,
        manifestDigest,
        receipt: recorded,
        result: `sha256:${'00'.repeat(32)}`,
        blockNumber: 4n,
        transactionHash: expect.any(String),
        used: 'yes',
        contributions: [1n],
        title: null,
        purpose: null,
        leftOut: null,
        reason: null,
      },
    ])
  })

  test('says no when the receipt names other inputs only, or the contribution was refused', async () => {
    const elsewhere = [
      contributed(1n, account.address),
      judged(1n, account.address, digestOf('verdict 9')),
      proposed(7n),
      released(7n),
    ]
    expect((await ask(elsewhere))[0]).toMatchObject({ used: 'no', contributions: [] })
    const refused = [
      contributed(1n, account.address),
      judged(1n, account.address, digestOf('verdict 1'), true),
      proposed(7n),
      released(7n),
    ]
    expect((await ask(refused))[0]?.used).toBe('no')
    const foreign = [
      contributed(1n, other),
      judged(1n, other, digestOf('verdict 1')),
      proposed(7n),
      released(7n),
    ]
    expect((await ask(foreign))[0]?.used).toBe('no')
  })

  test('says that a release is not final, and asks for no receipt of it', async () => {
    const receiptOf = async () => {
      throw new Error('asked')
    }
    const [use] = await ask(usual, { finality: { confirmations: 2 }, receiptOf })
    expect(use).toMatchObject({
      used: 'not-final',
      contributions: [],
      reason: expect.stringMatching(/final/),
    })
    expect((await ask(usual, { finality: { confirmations: 1 } }))[0]?.used).toBe('yes')
  })

  test('leaves out jobs of other pools and jobs that released nothing', async () => {
    expect(await ask([...usual.slice(0, 2), proposed(7n)])).toEqual([])
    expect(await ask([...usual.slice(0, 2), proposed(7n, manifestDigest, [other]), released(7n)])).toEqual([])
  })

  test.each([
    ['the node does not give the receipt', {}, { receiptOf: async () => undefined }, /does not give/],
    ['the chain recorded another receipt', { receipt: digestOf('another') }, {}, /recorded/],
    [
      'the verifier does not trust the node',
      {},
      { trust: { ...trust, allowSimulator: false } },
      /policy|root/i,
    ],
    [
      'the list of inputs is not the receipt’s',
      {},
      { receiptOf: async () => ({ ...bundle, verdicts: { [pool.toLowerCase()]: [digestOf('verdict 1')] } }) },
      /verdicts/,
    ],
    [
      'the manifest is not the receipt’s',
      {},
      { receiptOf: async () => ({ ...bundle, manifest: { ...bundle.manifest, title: 'x' } }) },
      /manifest/,
    ],
    ['the manifest is missing', {}, { receiptOf: async () => ({ ...bundle, manifest: null }) }, /manifest/],
    ['the receipt is about another job', { id: 8n }, {}, /another job/],
    ['the chain names another manifest', { manifest: digestOf('other') }, {}, /another manifest/],
  ])(
    'says unknown, and why, when %s',
    async (_name, {
      receipt = recorded,
      id = 7n,
      manifest = manifestDigest,
    }: { receipt?: Digest; id?: bigint; manifest?: Digest }, given, why) => {
      const [use] = await ask([...usual.slice(0, 2), proposed(id, manifest), released(id, receipt)], given)
      expect(use?.used).toBe('unknown')
      expect(use?.contributions).toEqual([])
      expect(use?.reason).toMatch(why)
    },
  )
})

describe('the node that is asked for receipts', () => {
  const ids = Array.from({ length: 40 }, (_, index) => BigInt(index + 1))
  const jobs = [...usual.slice(0, 2), ...ids.flatMap((id) => [proposed(id), released(id)])]

  /** A client whose node answers so; what it asked for. */
  function asking(answer: (path: string) => Response | Promise<Response>) {
    const asked: string[] = []
    const fetch: typeof globalThis.fetch = async (url) => {
      const { pathname } = new URL(String(url))
      asked.push(pathname)
      return answer(pathname)
    }
    const client = createPoolClient({
      ...{ chain: chainOf(jobs), deployment, pool, policy, fetch, now: () => at },
      nodeUrl: 'http://node.example',
      blobStore: memoryBlobStore(),
    })
    return { client, asked }
  }

  test('is not waited for at every one of thousands of jobs where it is silent', async () => {
    const { client, asked } = asking(() => Promise.reject(new Error('silent')))
    const uses = await client.whoUsedMyData({ owner: account.address })
    expect(uses.map(({ jobId }) => jobId)).toEqual(ids)
    expect(new Set(uses.map(({ used }) => used))).toEqual(new Set(['unknown']))
    expect(asked).toHaveLength(3)
  })

  test('is asked on where it is silent now and then', async () => {
    let count = 0
    const { client, asked } = asking(() => {
      count += 1
      if (count % 3 !== 0) throw new Error('silent')
      return Response.json(bundle)
    })
    const uses = await client.whoUsedMyData({ owner: account.address })
    expect(uses).toHaveLength(40)
    expect(asked).toHaveLength(40)
  })

  test.each([
    ['nonsense', () => new Response('<html>')],
    ['another shape', () => Response.json({ receipt: 7 })],
  ])('hides no other job by %s for one', async (_, nonsense) => {
    const { client } = asking((path) => (path === '/v1/jobs/7/receipt' ? Response.json(bundle) : nonsense()))
    const uses = await client.whoUsedMyData({ owner: account.address })
    expect(uses.flatMap(({ jobId, used }) => (used === 'unknown' ? [] : [[jobId, used]]))).toEqual([
      [7n, 'yes'],
    ])
  })

  test('is left alone from the moment on at which the caller stops', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const { client, asked } = asking(() => {
      stop.abort(reason)
      return new Promise<Response>(() => undefined)
    })
    const { signal } = stop
    await expect(client.whoUsedMyData({ owner: account.address, signal })).rejects.toBe(reason)
    expect(asked).toHaveLength(1)
  })
})
