/**
 * People of a drill: contributors and a consumer of the devnet, each with the client that a stranger would use.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError, createPoolClient, type PoolClient } from '@sealpool/client'
import { fileBlobStore } from '@sealpool/client/file-store'
import {
  type Digest,
  deriveKeyPair,
  digestOf,
  platformRandom,
  walletIdentity,
  walletKeyTypedData,
} from '@sealpool/crypto'
import { privateKeyToAccount } from 'viem/accounts'
import type { DevnetKey } from '../devnet/devnet-chain.js'
import type { DevnetNode } from '../devnet/start-devnet-node.js'
import { NodeError } from '../errors.js'

/** Milliseconds for what the node has to do by itself. */
const patienceMs = 120_000

/** @returns the client of an account of the devnet */
export function clientOf(devnet: DevnetNode, key: DevnetKey, nodeUrl = devnet.node().url): PoolClient {
  return createPoolClient({
    chain: devnet.chain.walletOf(key),
    deployment: devnet.chain.deployment,
    pool: devnet.pool.pool,
    policy: devnet.policy,
    nodeUrl,
    blobStore: fileBlobStore({ directory: devnet.blobs }),
  })
}

/** Whether a client sends nothing to the devnet's first node: its evidence does not hold, or the node serves the pool no more. */
export async function saysNo(devnet: DevnetNode): Promise<boolean> {
  try {
    const { ok, pool } = await clientOf(devnet, devnet.chain.consumer).ready()
    return !ok && pool === undefined
  } catch (error) {
    return error instanceof ClientError && error.code === 'POOL_NOT_SERVED'
  }
}

/** A contribution that was made. */
export interface DrillContribution {
  readonly id: string
  readonly locator: string
  readonly epoch: number
}

/** The key of an account under which its owner opens his own copies. */
export async function ownCopy(devnet: DevnetNode, key: DevnetKey) {
  const account = privateKeyToAccount(key.privateKey)
  const typedData = walletKeyTypedData({ chainId: devnet.chain.chainId, purpose: 'My copy' })
  const signature = await account.signTypedData(typedData)
  return walletIdentity({ signature, address: account.address, typedData })
}

/** Contributes a payslip of the devnet. @param index of the contributor */
export async function contribute(devnet: DevnetNode, index: number): Promise<DrillContribution> {
  const key = devnet.chain.contributors[index]
  if (key === undefined) throw new RangeError('there is no such contributor')
  const account = privateKeyToAccount(key.privateKey)
  const { id, prepared } = await clientOf(devnet, key).contribute(account, {
    bytes: new Uint8Array(await readFile(join(devnet.folder, `payslip-${index + 1}.json`))),
    mediaType: 'application/json',
    schemaId: devnet.schemaId,
    consentDigest: digestOf(await readFile(join(devnet.folder, 'consent.txt'), 'utf8')) as Digest,
    walletPublicKey: (await ownCopy(devnet, key)).publicKey,
  })
  const { locator, epoch } = prepared.contribution
  return { id: id.toString(), locator, epoch }
}

/** Waits until something holds. @throws NodeError `NODE_UNREACHABLE` when it does not */
export async function waitFor(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new NodeError('NODE_UNREACHABLE', 'devnet', `waited in vain: ${what}`)
    await sleep(100)
  }
}

/** Waits until so many contributions are in the tables. */
export async function refined(devnet: DevnetNode, count: number): Promise<void> {
  const client = clientOf(devnet, devnet.chain.consumer)
  await waitFor(`${count} contributions in the tables`, async () => {
    const { states } = await client.node.contributionCounts(devnet.pool.pool)
    return states['refined'] === count
  })
}

/** Proposes the devnet's question and has it granted; nobody has paid yet. @param voters indexes of contributors. @returns the job */
export async function grantedQuestion(devnet: DevnetNode, voters: readonly number[]) {
  const { chain } = devnet
  const analyst = clientOf(devnet, chain.consumer)
  const resultKey = deriveKeyPair(platformRandom(32))
  const { jobId } = await analyst.query({
    title: 'Mean wage',
    purpose: 'research',
    sql: (await readFile(join(devnet.folder, 'question.sql'), 'utf8')).trim(),
    privacy: { epsilon: 10 },
    resultPublicKey: resultKey.publicKey,
  })
  const members = voters
    .flatMap((index) => chain.contributors[index] ?? [])
    .map((key) => clientOf(devnet, key))
  const [first] = members
  if (first === undefined) throw new RangeError('somebody must vote')
  const opensAt = BigInt(Math.floor(Date.now() / 1000))
  const terms = { price: 0n, poolTokenBurn: 0n, runs: 1, opensAt, closesAt: opensAt + 864_000n }
  const proposal = await first.grant(jobId, terms)
  await chain.advanceTime(2)
  // At once: the devnet's votes are open for ten seconds.
  await Promise.all(members.map((member) => member.vote(proposal, 'for')))
  await chain.advanceTime(11)
  await first.carryOut(proposal)
  await chain.advanceTime(2)
  await first.carryOut(proposal)
  return { jobId, analyst, resultKey }
}
