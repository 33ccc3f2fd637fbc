import {
  type Deployment,
  deployAll,
  foundPool,
  publishPoolKey,
  registerNode,
  setMeasurement,
  setVerifiers,
  signNodeApproval,
} from '@sealpool/contracts'
import { type Devnet, startDevnet } from '@sealpool/contracts/devnet'
import { digestOf, digestToHex, keySetDigest, statementDigest } from '@sealpool/crypto'
import { type Address, createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import { foundry, mainnet } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPoolClient } from './index.js'
import { memoryBlobStore } from './store/memory-store.js'
import { input, wallet } from './testing/contribution.js'
import { memoryNode } from './testing/memory-node.js'
import { at, policy, simulatedNode } from './testing/simulated-pool.js'

/* The same client on a real chain with the real contracts: what the memory chain of the other tests stands for. */

let devnet: Devnet
let deployment: Deployment
let pool: Address
let node: ReturnType<typeof simulatedNode>

const accountOf = (index: number) => {
  const found = devnet.accounts[index]
  if (found === undefined) throw new Error(`the devnet has no account ${index}`)
  return privateKeyToAccount(found.privateKey)
}
const walletOf = (index: number) =>
  createWalletClient({ account: accountOf(index), chain: foundry, transport: http(devnet.rpcUrl) })

beforeAll(async () => {
  devnet = await startDevnet()
  const client = walletOf(0)
  deployment = await deployAll({ walletClient: client })
  const policyDigest = digestToHex(digestOf(policy))
  const digest = digestToHex(digestOf('any'))
  const rules = { policyDigest, pocDigest: digest, refinerDigest: digest }
  ;({ pool } = await foundPool(client, { deployment, name: 'pay', symbol: 'PAY', ...rules }))
  node = simulatedNode(7, policy, { deployment, pool })
  await setVerifiers(client, { deployment, verifiers: [accountOf(1).address], threshold: 1 })
  await setMeasurement(client, { deployment, measurement: digest, allowed: true })
  const registration = {
    statementKey: node.keySet.statement.address,
    keySetDigest: digestToHex(keySetDigest(node.keySet)),
    quoteDigest: digest,
    measurement: digest,
    expiresAt: (await getBlock(client)).timestamp + 86_400n,
  }
  const signatures = [await signNodeApproval({ account: accountOf(1), deployment, registration })]
  await registerNode(client, { deployment, registration, signatures })
  const { statement, context, signature } = node.statement()
  await publishPoolKey(client, {
    pool,
    epoch: 1,
    policyDigest,
    keyDigest: digestToHex(node.poolKey().keyId),
    statement: { digest: digestToHex(statementDigest(statement)), nonce: BigInt(context.nonce), signature },
  })
})
afterAll(() => devnet.stop())

function app(chain = walletOf(2)) {
  const { fetch, routes } = memoryNode(node)
  const blobStore = memoryBlobStore()
  const nodeUrl = 'http://node.example'
  const options = { chain, deployment, pool, policy, nodeUrl, blobStore, fetch, now: () => at }
  return { client: createPoolClient(options), routes }
}

describe('on a real chain', () => {
  test('a pool verifies, takes a contribution, and tells where it stands', async () => {
    const { client, routes } = app()
    const { ok, checks } = await client.ready()
    expect(checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect(ok).toBe(true)
    const deadline = (await getBlock(walletOf(2))).timestamp + 3_600n
    const { id, prepared } = await client.contribute(accountOf(2), {
      ...input,
      walletPublicKey: wallet.publicKey,
      deadline,
    })
    expect(id).toBe(1n)
    expect(prepared.simulated).toBe(true)
    const before = await client.contributionStatus(id)
    expect(before).toMatchObject({
      chain: { id: 1n, owner: accountOf(2).address, state: 'Offered' },
      node: null,
    })
    const status = { simulated: true, id: '1', state: 'stored', reason: null }
    routes['/v1/contributions/1'] = () => status
    expect((await client.contributionStatus(id)).node).toEqual(status)
  })

  test('a claim is the chain’s to decide', async () => {
    await expect(app().client.claim()).rejects.toMatchObject({
      code: 'REVERTED',
      revert: { name: 'NothingToClaim' },
    })
  })

  test('a contribution that nobody made is not found', async () => {
    await expect(app().client.contributionStatus(99n)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a client for another chain is refused, by its own word and by the chain’s', async () => {
    const account = accountOf(2)
    const confused = createWalletClient({ account, chain: mainnet, transport: http(devnet.rpcUrl) })
    const { client } = app(confused as unknown as ReturnType<typeof walletOf>)
    await expect(client.ready()).rejects.toMatchObject({ code: 'WRONG_CHAIN' })
    const elsewhere = createPoolClient({
      chain: confused,
      deployment: { ...deployment, chainId: 1 },
      pool,
      policy,
      nodeUrl: 'http://node.example',
      blobStore: memoryBlobStore(),
      fetch: memoryNode(node).fetch,
    })
    await expect(elsewhere.ready()).rejects.toMatchObject({ code: 'WRONG_CHAIN' })
  })
})
