import { digestToHex, encodeBase64Url, sha256Digest } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { createPoolClient } from './index.js'
import { recordingStore } from './testing/contribution.js'
import { memoryChain } from './testing/memory-chain.js'
import { memoryNode } from './testing/memory-node.js'
import { receiptBundle, result, sealedResult } from './testing/receipt-bundle.js'
import { chainWithHome, recordedRelease, sharedBundle } from './testing/shared-bundle.js'
import { at, deployment, policy, pool, trust } from './testing/simulated-pool.js'

/** A client, and what its node and its chain say of job 7. */
function world({ bundle, recorded }: ReturnType<typeof receiptBundle>) {
  const served = memoryNode()
  const chain = memoryChain()
  const client = createPoolClient({
    chain: chain.client,
    deployment,
    pool,
    policy,
    nodeUrl: 'http://node.example',
    blobStore: recordingStore().store,
    now: () => at,
    fetch: served.fetch,
  })
  chain.state.outcome = {
    kind: 'released',
    receipt: digestToHex(recorded),
    result: digestToHex(sha256Digest(result)),
  }
  served.routes['/v1/jobs/7/receipt'] = () => bundle
  served.routes['/v1/jobs/7/result'] = () => ({ simulated: true, sealed: encodeBase64Url(sealedResult) })
  return {
    chain: chain.state,
    client,
    served,
    async open() {
      const { ok, checks } = await client.verifyReceipt(7n, { trust, result })
      const ids = checks.flatMap(({ id, result }) => (result === 'pass' ? [] : [id]))
      expect(ok).toBe(ids.length === 0)
      return ids
    },
  }
}

/** The same for a job over pools of two homes. */
function sharedWorld() {
  const made = sharedBundle()
  const opened = world(made)
  const { budgetHeads, home } = chainWithHome
  opened.chain.home = home
  opened.chain.outcome = {
    kind: 'released',
    receipt: digestToHex(made.recorded),
    result: digestToHex(recordedRelease.result),
    budgetHeads,
  }
  opened.served.routes['/v1/jobs/7/shares'] = () => ({ simulated: true, job: '7', shares: made.shares })
  return opened
}

describe('verifyReceipt says no', () => {
  test('to another job’s receipt that somebody recorded as the end of this one', async () => {
    expect(await world(receiptBundle()).open()).toEqual([])
    const old = receiptBundle((body) => ({ ...body, job: { ...body.job, id: '6' } }))
    expect(await world(old).open()).toEqual(['receipt-on-chain'])
  })

  test('to a home whose registration had run out when the job ended', async () => {
    const { chain, open } = sharedWorld()
    expect(await open()).toEqual([])
    chain.time = 2_000_000_000
    expect(await open()).toEqual(['homes-listed'])
  })

  test('and calls nothing that a receipt names as a pool and the factory did not found', async () => {
    const { chain, open } = sharedWorld()
    chain.home = { ...chainWithHome.home, pool: `0x${'ee'.repeat(20)}` }
    expect(await open()).toEqual(['homes-keys', 'homes-measured'])
    // The usual pool's; a client would have followed where another contract refers it to.
    expect(chain.calls.filter((name) => name === 'rules' || name === 'keyEpoch')).toHaveLength(2)
  })
})

describe('whoever gets the receipt alone', () => {
  test('is told what that says, and that nothing of the result is his', async () => {
    const auditor = `0x${'ab'.repeat(20)}` as const
    const { client, served } = world(receiptBundle())
    const unknown = { error: { code: 'RECIPIENT_UNKNOWN', message: 'nobody' } }
    served.routes['/v1/jobs/7/result'] = () => new Response(JSON.stringify(unknown), { status: 404 })
    expect(await client.verifyReceipt(7n, { trust, recipient: auditor })).toMatchObject({
      ok: false,
      state: 'receipt-verified',
    })
    // The consumer gets a result: that it is not given to him is no reason to be content.
    expect((await client.verifyReceipt(7n, { trust })).state).toBe('not-verified')
    await expect(client.result(7n, new Uint8Array(32), { recipient: auditor })).rejects.toMatchObject({
      code: 'RESULT_MISSING',
      nodeCode: 'RECIPIENT_UNKNOWN',
      message: expect.stringContaining('verifyReceipt') as string,
    })
    const busy = { error: { code: 'BUSY', message: 'later' } }
    served.routes['/v1/jobs/7/result'] = () => new Response(JSON.stringify(busy), { status: 503 })
    await expect(client.result(7n, new Uint8Array(32))).rejects.toMatchObject({ code: 'NODE_REFUSED' })
  })
})
