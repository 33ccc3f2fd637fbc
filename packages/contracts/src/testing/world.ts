import { type Account, type Client, createWalletClient, type Hex, http, keccak256, toHex } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import { foundry } from 'viem/chains'
import { publishPoolKey, registerNode, setMeasurement, setVerifiers } from '../action/index.js'
import type { Sent } from '../action/transaction.js'
import { type Deployment, deployAll, foundPool, type PoolContracts } from '../deploy/index.js'
import { type Devnet, startDevnet } from '../devnet/index.js'
import {
  type Contribution,
  type NodeStatementContext,
  poolKeyContext,
  type StatementProof,
  signNodeApproval,
  statementKinds,
  statementTypedData,
} from '../statement/index.js'

/** A local chain with a deployment, a registered node and one pool with a published key. */
export interface World {
  readonly devnet: Devnet
  readonly deployment: Deployment
  readonly client: Client
  readonly deployer: Account
  readonly verifiers: readonly PrivateKeyAccount[]
  readonly node: PrivateKeyAccount
  readonly measurement: Hex
  readonly pool: PoolContracts
  clientOf(account: Account): Client
  account(index: number): PrivateKeyAccount
  now(): Promise<bigint>
  foundPool(name: string, measurement?: Hex): Promise<PoolContracts>
  publishKey(pool: PoolContracts, epoch: number, node?: PrivateKeyAccount): Promise<Sent>
}

/** 32 bytes that only this name gives. */
export const digest = (name: string): Hex => keccak256(toHex(name))

let nonces = 0n
/** A number never given before in this process. */
export const nextNonce = (): bigint => ++nonces

/** Signs a node statement with viem, which knows nothing of our own code in @sealpool/crypto. */
export async function prove(
  node: PrivateKeyAccount,
  kind: keyof typeof statementKinds,
  context: NodeStatementContext,
): Promise<StatementProof> {
  const body = digest(`${kind} ${context.nonce}`)
  const signature = await node.signTypedData(
    statementTypedData({ kind: statementKinds[kind], context, digest: body }),
  )
  return { digest: body, nonce: BigInt(context.nonce), signature }
}

export async function createWorld(): Promise<World> {
  const devnet = await startDevnet()
  const account = (index: number) => {
    const found = devnet.accounts[index]
    if (found === undefined) throw new Error(`no account ${index}`)
    return privateKeyToAccount(found.privateKey)
  }
  const clientOf = (owner: Account) =>
    createWalletClient({ account: owner, chain: foundry, transport: http(devnet.rpcUrl) })
  const deployer = account(0)
  const client = clientOf(deployer)
  const deployment = await deployAll({ walletClient: client })
  const now = async () => (await getBlock(client)).timestamp
  const verifiers = [0, 1, 2].map(() => privateKeyToAccount(generatePrivateKey()))
  const node = privateKeyToAccount(generatePrivateKey())
  const measurement = digest('measurement')
  await setVerifiers(client, { deployment, verifiers: verifiers.map(({ address }) => address), threshold: 2 })
  await setMeasurement(client, { deployment, measurement, allowed: true })
  const registration = {
    statementKey: node.address,
    keySetDigest: digest('key set'),
    quoteDigest: digest('quote'),
    measurement,
    expiresAt: (await now()) + 60n * 86_400n,
  }
  const signatures = await Promise.all(
    verifiers
      .slice(0, 2)
      .map((verifier) => signNodeApproval({ account: verifier, deployment, registration })),
  )
  await registerNode(client, { deployment, registration, signatures })

  const found = (name: string, required?: Hex) =>
    foundPool(client, {
      deployment,
      name,
      symbol: name.toUpperCase(),
      policyDigest: digest('policy'),
      pocDigest: digest('poc'),
      refinerDigest: digest('refiner'),
      rewardPerFullScore: 10_000n,
      governance: { votingDelay: 1, votingPeriod: 60, timelockDelay: 30, quorumPercent: 10 },
      ...(required === undefined ? {} : { measurement: required }),
    })
  const publishKey = async (pool: PoolContracts, epoch: number, signer = node) => {
    const fields = {
      pool: pool.pool,
      epoch,
      policyDigest: digest('policy'),
      keyDigest: digest(`key ${epoch}`),
    }
    const context = poolKeyContext({ deployment, nonce: nextNonce(), ...fields })
    return publishPoolKey(client, { ...fields, statement: await prove(signer, 'poolKey', context) })
  }
  const pool = await found('pay')
  await publishKey(pool, 1)
  return {
    devnet,
    deployment,
    client,
    deployer,
    verifiers,
    node,
    measurement,
    pool,
    clientOf,
    account,
    now,
    foundPool: found,
    publishKey,
  }
}

/** A contribution of `owner` with everything filled in. */
export function contributionOf(
  world: World,
  owner: Account,
  change: Partial<Contribution> = {},
): Contribution {
  const nonce = nextNonce()
  return {
    owner: owner.address,
    pool: world.pool.pool,
    blobDigest: digest(`blob ${nonce}`),
    commitment: digest(`commitment ${nonce}`),
    schemaId: digest('schema'),
    consentDigest: digest('consent'),
    epoch: 1,
    locator: `memory:${nonce}`,
    nonce,
    ...change,
  }
}

/** The decoded contract error of a promise that must fail. */
export async function revertOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    const revert = (error as { revert?: { name: string } }).revert
    if (revert !== undefined) return revert.name
    throw error
  }
  return 'nothing failed'
}
