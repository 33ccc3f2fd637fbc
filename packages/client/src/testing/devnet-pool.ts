import {
  type Deployment,
  deployAll,
  foundPool,
  type NodeStatementContext,
  type PoolContracts,
  publishPoolKey,
  recordVerdicts,
  registerNode,
  type StatementProof,
  setMeasurement,
  setVerifiers,
  signNodeApproval,
  statementKinds,
  statementTypedData,
  verdictBatchContext,
} from '@sealpool/contracts'
import { type Devnet, startDevnet } from '@sealpool/contracts/devnet'
import {
  digestOf,
  digestToHex,
  encodeHex,
  type JsonObject,
  keySetDigest,
  statementDigest,
} from '@sealpool/crypto'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import { foundry } from 'viem/chains'
import { measurement, simulatedNode, policy as usualPolicy } from './simulated-pool.js'

/** A real chain with the real contracts, one pool, and one registered node that published the pool's key. */
export interface DevnetPool {
  readonly devnet: Devnet
  readonly deployment: Deployment
  readonly contracts: PoolContracts
  readonly node: ReturnType<typeof simulatedNode>
  readonly accountOf: (index: number) => ReturnType<typeof privateKeyToAccount>
  readonly walletOf: (index: number) => ReturnType<typeof walletFor>
  /** Chain time, unix seconds. */
  readonly time: () => Promise<bigint>
  /** The node's proof of a statement. */
  readonly prove: (
    kind: keyof typeof statementKinds,
    context: NodeStatementContext,
  ) => Promise<StatementProof>
  /** The node accepts a contribution with a full score. */
  readonly accept: (id: bigint) => Promise<void>
  /** The node publishes the pool's key of an epoch. */
  readonly publish: (epoch: number) => Promise<void>
}

function walletFor(rpcUrl: string, privateKey: `0x${string}`) {
  return createWalletClient({
    account: privateKeyToAccount(privateKey),
    chain: foundry,
    transport: http(rpcUrl),
  })
}

/** Starts it; account 0 founds, account 1 approves nodes. */
export async function devnetPool(policy: JsonObject = usualPolicy): Promise<DevnetPool> {
  const devnet = await startDevnet()
  const keyOf = (index: number) => {
    const found = devnet.accounts[index]
    if (found === undefined) throw new Error(`the devnet has no account ${index}`)
    return found.privateKey
  }
  const accountOf = (index: number) => privateKeyToAccount(keyOf(index))
  const walletOf = (index: number) => walletFor(devnet.rpcUrl, keyOf(index))
  const client = walletOf(0)
  const time = async () => (await getBlock(client)).timestamp
  const deployment = await deployAll({ walletClient: client })
  const policyDigest = digestToHex(digestOf(policy))
  const digest = digestToHex(digestOf('any'))
  const governance = { votingDelay: 1, votingPeriod: 60, timelockDelay: 1 }
  const rules = { policyDigest, pocDigest: digest, refinerDigest: digest }
  const contracts = await foundPool(client, { deployment, name: 'pay', symbol: 'PAY', ...rules, governance })
  const { pool } = contracts
  const node = simulatedNode(7, policy, { deployment, pool })
  await setVerifiers(client, { deployment, verifiers: [accountOf(1).address], threshold: 1 })
  await setMeasurement(client, { deployment, measurement, allowed: true })
  const registration = {
    statementKey: node.keySet.statement.address,
    keySetDigest: digestToHex(keySetDigest(node.keySet)),
    quoteDigest: digest,
    measurement,
    expiresAt: (await time()) + 86_400n,
  }
  const signatures = [await signNodeApproval({ account: accountOf(1), deployment, registration })]
  await registerNode(client, { deployment, registration, signatures })
  const publish = async (epoch: number) => {
    const { statement, context, signature } = node.statement({ epoch })
    await publishPoolKey(client, {
      pool,
      epoch,
      policyDigest,
      keyDigest: digestToHex(node.poolKey(epoch).keyId),
      statement: { digest: digestToHex(statementDigest(statement)), nonce: BigInt(context.nonce), signature },
    })
  }
  await publish(1)
  const signer = privateKeyToAccount(encodeHex(node.keys.statementKey))
  let proofs = 1000n
  const prove = async (kind: keyof typeof statementKinds, context: NodeStatementContext) => {
    proofs += 1n
    const numbered = { ...context, nonce: proofs.toString() }
    const body = digestToHex(digestOf(`${kind} ${proofs}`))
    const typed = statementTypedData({ kind: statementKinds[kind], context: numbered, digest: body })
    return { digest: body, nonce: proofs, signature: await signer.signTypedData(typed) }
  }
  const accept = async (id: bigint) => {
    const verdictDigest = digestToHex(digestOf(`verdict ${id}`))
    const entries = [{ contributionId: id, score: 10_000, refused: false, verdictDigest }]
    const context = verdictBatchContext({ deployment, nonce: 0n, pool, entries })
    await recordVerdicts(client, {
      deployment,
      pool,
      entries,
      statement: await prove('verdictBatch', context),
    })
  }
  return { devnet, deployment, contracts, node, accountOf, walletOf, time, prove, accept, publish }
}
