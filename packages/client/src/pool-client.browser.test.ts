import { hpkeIdentity, openBytes } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { createContributor, createPoolClient, memoryBlobStore, storageJournal } from './index.js'
import { account, input, secretText, wallet } from './testing/contribution.js'
import { memoryChain } from './testing/memory-chain.js'
import { memoryNode } from './testing/memory-node.js'
import { at, deployment, node, policy, pool } from './testing/simulated-pool.js'

describe('in a browser', () => {
  const app = () => {
    const { client: chain, state } = memoryChain()
    const { fetch, seen } = memoryNode()
    const blobStore = memoryBlobStore()
    const nodeUrl = 'http://node.example'
    const options = { chain, deployment, pool, policy, nodeUrl, blobStore, fetch, now: () => at }
    return { client: createPoolClient(options), blobStore, seen, state }
  }

  test('a node is verified, then a contribution is sealed to pool and wallet with the platform’s randomness', async () => {
    const { client, blobStore } = app()
    const { ok, simulated } = await client.ready()
    expect({ ok, simulated }).toEqual({ ok: true, simulated: true })
    const { contribution } = await client.prepareContribution(account, input)
    const sealed = await blobStore.get(contribution.locator)
    for (const identity of [hpkeIdentity(node.poolKey()), wallet]) {
      const { plaintext } = await openBytes(sealed, { identities: [identity] })
      expect(new TextDecoder().decode(plaintext)).toBe(secretText)
    }
  })

  test('nothing is sealed when the registry has dropped the node', async () => {
    const { client, state } = app()
    const facts = node.facts()
    state.facts = { ...facts, node: { ...facts.node, active: false } }
    await expect(client.prepareContribution(account, input)).rejects.toMatchObject({ code: 'NOT_READY' })
  })

  test('who can pay for no transaction learns it before anything is sealed', async () => {
    const { client: chain } = memoryChain({ balance: 0n })
    const steps: string[] = []
    const contributor = createContributor({
      ...{ chain, deployment, pool, policy, nodeUrl: 'http://node.example', fetch: memoryNode().fetch },
      ...{ blobStore: memoryBlobStore(), journal: storageJournal(localStorage), now: () => at, attempts: 1 },
    })
    const onProgress = ({ step, state }: { step: string; state: string }) => steps.push(`${step} ${state}`)
    const contributing = contributor.contribute(account, input, { key: 'poor', onProgress })
    await expect(contributing).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' })
    expect(steps).not.toContain('seal done')
    localStorage.clear()
  })

  test('a contribution under a key is noted in localStorage and goes on from there', async () => {
    const { client: chain } = memoryChain()
    const { fetch } = memoryNode()
    const nodeUrl = 'http://node.example'
    const journal = storageJournal(localStorage)
    const options = {
      chain,
      deployment,
      pool,
      policy,
      nodeUrl,
      blobStore: memoryBlobStore(),
      fetch,
      now: () => at,
      journal,
    }
    // The memory chain takes no transactions: the run ends at the last step, as a closed page would.
    const run = async () => {
      const steps: string[] = []
      const onProgress = ({ step, state }: { step: string; state: string }) => steps.push(`${step} ${state}`)
      const contributing = createContributor({ ...options, attempts: 1 }).contribute(account, input, {
        key: 'page',
        onProgress,
      })
      await expect(contributing).rejects.toMatchObject({ name: 'ContractsError' })
      return steps
    }
    expect(await run()).toContain('seal done')
    const noted = localStorage.getItem('sealpool/contribution/page') ?? ''
    expect(JSON.parse(noted).signed).not.toBeNull()
    expect(noted).not.toContain('wage')
    const again = await run()
    expect(again.filter((step) => step.endsWith('skipped'))).toEqual([
      'seal skipped',
      'store skipped',
      'sign skipped',
    ])
    localStorage.clear()
  })
})
