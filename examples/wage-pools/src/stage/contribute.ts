import type { BlobStore } from '@sealpool/client'
import { createPoolClient, type PoolClient, type PreparedContribution } from '@sealpool/client'
import { contributeBatch, contributionTypedData, type SignedContribution } from '@sealpool/contracts'
import {
  digestToHex,
  platformRandom,
  sha256Digest,
  type WalletIdentity,
  walletIdentity,
  walletKeyTypedData,
} from '@sealpool/crypto'
import { inParallel } from '../parallel.js'
import type { Progress } from '../progress.js'
import type { Worker } from '../workers.js'
import type { DemoPool, Founded } from './found-pools.js'

const batchSize = 50

/** The text that every contributor agrees to; its digest stands in each contribution. */
const consentText =
  'I put this file into the pool. Approved code may compute on it inside attested machines, within the pool’s privacy budget, for research.'

/** Something wrong that a worker sends on purpose. */
export type Mishap = 'truncated' | 'wrong-pool' | 'duplicate' | 'malformed'

/** Who sends what wrong: one worker each, spread over the list; the copied file's owner comes right before the copier. */
export function planMishaps(count: number): ReadonlyMap<string, Mishap> {
  const place = (share: number) => Math.floor(count * share)
  return new Map<string, Mishap>([
    [`${place(0.1)} pay`, 'truncated'],
    [`${place(0.3)} pay`, 'wrong-pool'],
    [`${place(0.6)} pay`, 'duplicate'],
    [`${place(0.8)} people`, 'malformed'],
  ])
}

interface Contributing {
  readonly founded: Founded
  readonly nodeUrl: string
  readonly blobStore: BlobStore
  readonly workers: readonly Worker[]
  readonly progress: Progress
}

/** What contributing left behind. */
export interface Contributed {
  readonly count: number
  readonly sealedBytes: number
  readonly verifications: number
}

/**
 * Every worker verifies the node for both pools, seals both exports to the pool and to the own wallet, stores them and
 * signs the records; a relayer sends the records in batches and pays for the gas.
 */
export async function contributeAll(options: Contributing): Promise<Contributed> {
  const { founded, workers, progress } = options
  const mishaps = planMishaps(workers.length)
  const { timestamp } = await founded.relayer.getBlock()
  const deadline = timestamp + 86_400n
  const queue: SignedContribution[] = []
  let prepared = 0
  let sent = 0
  let sealedBytes = 0
  let verifications = 0
  const total = workers.length * 2
  const bar = progress.bar('verified, sealed, signed', total)

  // Records must stand on chain in the order of the list, so that the original comes before its copy.
  const ready: (readonly PreparedContribution[] | undefined)[] = []
  let drained = 0
  const drain = () => {
    for (let next = ready[drained]; next !== undefined; next = ready[drained]) {
      queue.push(...next)
      drained += 1
    }
  }
  let sending = Promise.resolve()
  const sendFullBatches = (atLeast: number) => {
    sending = sending.then(async () => {
      while (queue.length >= Math.max(1, atLeast)) {
        const batch = queue.splice(0, batchSize)
        await contributeBatch(founded.relayer, { deployment: founded.deployment, signed: batch })
        sent += batch.length
      }
    })
    return sending
  }

  await inParallel(workers, 4, async (worker, index) => {
    const wallet = await walletOf(worker, founded)
    const files: PreparedContribution[] = []
    for (const pool of [founded.pools.pay, founded.pools.people]) {
      const client = poolClient(options, pool)
      const answer = await client.ready()
      verifications += 1
      if (!answer.ok) {
        const failed = answer.checks
          .filter(({ result }) => result !== 'pass')
          .map(({ title, detail }) => `${title} (${detail})`)
        throw new Error(`${worker.name} sends nothing: ${failed.join('; ')}`)
      }
      const mishap = mishaps.get(`${index} ${pool.name}`)
      const file = await prepare({ ...options, worker, index, pool, client, wallet, deadline, mishap })
      sealedBytes += file.sealedBytes
      files.push(file)
      prepared += 1
      bar.set(prepared)
    }
    ready[index] = files
    drain()
    // A failure stays in the chain of batches and comes out of the last one, which is awaited.
    void sendFullBatches(batchSize).catch(() => undefined)
  })
  bar.end()
  await sendFullBatches(1)
  return { count: sent, sealedBytes, verifications }
}

function poolClient(options: Contributing, pool: DemoPool): PoolClient {
  const { founded, nodeUrl, blobStore } = options
  return createPoolClient({
    chain: founded.relayer,
    deployment: founded.deployment,
    pool: pool.contracts.pool,
    policy: pool.policyJson,
    nodeUrl,
    blobStore,
  })
}

async function walletOf(worker: Worker, founded: Founded): Promise<WalletIdentity> {
  const typedData = walletKeyTypedData({
    chainId: founded.deployment.chainId,
    purpose: 'My copy of my pool files',
  })
  const signature = await worker.account.signTypedData(typedData)
  return walletIdentity({ signature, address: worker.account.address, typedData })
}

async function prepare(
  options: Contributing & {
    readonly worker: Worker
    readonly index: number
    readonly pool: DemoPool
    readonly client: PoolClient
    readonly wallet: WalletIdentity
    readonly deadline: bigint
    readonly mishap: Mishap | undefined
  },
): Promise<PreparedContribution> {
  const { worker, index, pool, client, wallet, deadline, mishap, founded, workers } = options
  const input = {
    bytes: pool.name === 'pay' ? worker.payroll : worker.survey,
    mediaType: pool.mediaType,
    schemaId: pool.schemaId,
    consentDigest: sha256Digest(new TextEncoder().encode(consentText)),
    walletPublicKey: wallet.publicKey,
    nonce: pool.name === 'pay' ? 0n : 1n,
    deadline,
  }
  if (mishap === undefined) return client.prepareContribution(worker.account, input)
  if (mishap === 'duplicate') {
    const original = workers[index - 1]
    if (original === undefined) throw new Error('there is nobody to copy from')
    return client.prepareContribution(worker.account, { ...input, bytes: original.payroll })
  }
  if (mishap === 'malformed') {
    const bytes = new TextEncoder().encode('respondent;answers\r\nR-0000;lost in the export\r\n')
    return client.prepareContribution(worker.account, { ...input, bytes })
  }
  if (mishap === 'wrong-pool') {
    // Sealed to the other pool's key by mistake, then offered to this one.
    const other = poolClient(options, founded.pools.people)
    const file = await other.prepareContribution(worker.account, input)
    return resign(options, file, { pool: pool.contracts.pool })
  }
  const file = await client.prepareContribution(worker.account, input)
  const sealed = await options.blobStore.get(file.contribution.locator)
  const cut = sealed.slice(0, sealed.length - 100)
  const { locator, digest } = await options.blobStore.put(cut)
  return resign(options, file, { locator, blobDigest: digestToHex(digest) })
}

async function resign(
  options: { readonly worker: Worker; readonly founded: Founded },
  file: PreparedContribution,
  changes: Partial<PreparedContribution['contribution']>,
): Promise<PreparedContribution> {
  const contribution = { ...file.contribution, ...changes }
  const { deployment } = options.founded
  const signature = await options.worker.account.signTypedData(
    contributionTypedData({ deployment, contribution, deadline: file.deadline }),
  )
  return { ...file, contribution, signature }
}

/** A random salt for a manifest, 16 bytes as text. */
export function randomSalt(): string {
  return Buffer.from(platformRandom(16)).toString('hex')
}
