/**
 * How the workers of a world contribute.
 * @module
 */
import { type BlobStore, formatOwnLocation } from '@sealpool/client'
import {
  type BatchEntry,
  type BatchHeader,
  contributeBatch,
  contributeMerkleBatch,
  type Deployment,
  dataRegistryAbi,
  invoke,
  signBatchedContribution,
  signContribution,
} from '@sealpool/contracts'
import {
  type Address,
  type Digest,
  decodeBase64Url,
  deriveKeyPair,
  digestToHex,
  type Hex,
  hpkeRecipient,
  parseHeader,
  platformRandom,
  sealBytes,
  sha256Digest,
  walletRecipient,
} from '@sealpool/crypto'
import { parseEventLogs } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import { ask } from './ask.js'

import type { Wallet, WorldPool } from './world-pools.js'

/** A pool's key as the node's API gives it. */
interface ServedKey {
  readonly pool: Address
  readonly policyDigest: Digest
  readonly epoch: number
  readonly poolKey: { readonly publicKey: string }
}

/** What a worker sends to a pool. */
export interface WorldExport {
  readonly pool: WorldPool
  readonly worker: number
  readonly bytes: Uint8Array
  /** Seals for another pool than the one on the chain. */
  readonly sealedFor?: WorldPool
  /** Names a store of the worker's own on the chain; what lies in the pool's is the caller's to move there. */
  readonly ownStore?: string
}

const noDigest: Hex = `0x${'00'.repeat(32)}`

/**
 * @param options who pays for transactions, the workers, and where sealed files go
 * @returns contributes single exports, a Merkle batch of them, or a newer version of one
 */
export function worldContributions(options: {
  readonly client: Wallet
  readonly deployment: Deployment
  readonly chainId: number
  readonly workers: readonly PrivateKeyAccount[]
  readonly blobs: BlobStore
}) {
  const { client, deployment, chainId, workers, blobs } = options
  let nonce = 0n
  const servedPools = async (url: string): Promise<readonly ServedKey[]> =>
    ((await ask(`${url}/v1/pools`)) as { pools: ServedKey[] }).pools
  /** Seals one export for its pool's key and stores it. */
  const seal = async (
    served: readonly ServedKey[],
    { pool, worker, bytes, sealedFor, ownStore }: WorldExport,
  ) => {
    const key = served.find((one) => one.pool === (sealedFor ?? pool).pool)
    const account = workers[worker]
    if (key === undefined || account === undefined) throw new Error('no such pool or worker')
    const sealed = await sealBytes(bytes, {
      recipients: [
        hpkeRecipient({ publicKey: decodeBase64Url(key.poolKey.publicKey) }),
        walletRecipient({
          publicKey: deriveKeyPair(new Uint8Array(32).fill(worker + 1)).publicKey,
          address: account.address,
        }),
      ],
      context: {
        chainId,
        pool: key.pool,
        policyDigest: key.policyDigest,
        epoch: key.epoch,
        mediaType: pool.mediaType,
      },
      random: platformRandom,
    })
    const { digest } = await blobs.put(sealed)
    const locator = ownStore === undefined ? digest : formatOwnLocation(ownStore, digest)
    const entry: BatchEntry = {
      owner: account.address,
      blobDigest: digestToHex(sha256Digest(sealed)),
      commitment: digestToHex(parseHeader(sealed).context.commitment),
      consentDigest: noDigest,
    }
    return { account, locator, epoch: key.epoch, entry }
  }
  /** Seals, stores and contributes. @returns ids, in the order of the exports */
  const contribute = async (
    url: string,
    exports: readonly WorldExport[],
    spoil: (locator: string, index: number) => Promise<void> = async () => undefined,
  ): Promise<string[]> => {
    const served = await servedPools(url)
    const deadline = (await getBlock(client)).timestamp + 3_600n
    const signed = await Promise.all(
      exports.map(async (one, index) => {
        const { account, locator, epoch, entry } = await seal(served, one)
        await spoil(locator, index)
        const contribution = {
          ...entry,
          pool: one.pool.pool,
          schemaId: noDigest,
          epoch,
          locator,
          nonce: nonce++,
        }
        return signContribution({ account, deployment, deadline, contribution })
      }),
    )
    const { ids } = await contributeBatch(client, { deployment, signed })
    return ids.map(String)
  }

  let batchNumber = 0n
  /** Contributes exports of one pool as one Merkle batch. @returns the batch, and its entries for withdrawals */
  const contributeMerkle = async (
    url: string,
    exports: readonly WorldExport[],
    spoil: (locator: string, index: number) => Promise<void> = async () => undefined,
  ) => {
    const served = await servedPools(url)
    const sealed = []
    for (const [index, one] of exports.entries()) {
      const ready = await seal(served, one)
      await spoil(ready.locator, index)
      sealed.push(ready)
    }
    const [first] = exports
    if (first === undefined) throw new Error('a batch has an entry')
    const header: BatchHeader = {
      pool: first.pool.pool,
      epoch: sealed[0]?.epoch ?? 1,
      schemaId: noDigest,
      locatorBase: 'sha256:',
    }
    const number = batchNumber++
    const entries = await Promise.all(
      sealed.map(async ({ account, entry }, index) => ({
        ...entry,
        signature: await signBatchedContribution({
          account,
          deployment,
          relayer: client.account.address,
          number,
          header,
          index,
          entry,
        }),
      })),
    )
    const { batchId } = await contributeMerkleBatch(client, { deployment, number, header, entries })
    return { batchId, entries: sealed.map(({ entry }) => entry) }
  }
  /** Contributes a newer version of a single export, by its worker's own transaction. @returns its id */
  const contributeVersion = async (url: string, previous: string, one: WorldExport, owner: Wallet) => {
    const { locator, epoch, entry } = await seal(await servedPools(url), one)
    const shared = { pool: one.pool.pool, schemaId: noDigest, epoch, locator, nonce: nonce++ }
    const { receipt } = await invoke(owner, {
      address: deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'contributeVersion',
      args: [BigInt(previous), { ...entry, ...shared }],
    })
    const [event] = parseEventLogs({
      abi: dataRegistryAbi,
      eventName: 'ContributionSuperseded',
      logs: receipt.logs,
    })
    if (event === undefined) throw new Error('it was not superseded')
    return event.args.by.toString()
  }
  return { contribute, contributeMerkle, contributeVersion }
}
