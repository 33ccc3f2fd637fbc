import { hpkeIdentity, openBytes } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { createPoolClient, memoryBlobStore } from './index.js'
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
})
