import {
  type Contribution,
  contributionTypedData,
  type Deployment,
  type SignedContribution,
} from '@sealpool/contracts'
import {
  type Address,
  type Digest,
  digestToHex,
  encodeHex,
  hpkeRecipient,
  parseHeader,
  type Random,
  sealBytes,
  sha256Digest,
  walletRecipient,
} from '@sealpool/crypto'
import type { Account } from 'viem'
import { ClientError } from '../errors.js'
import type { BlobStore } from '../store/blob-store.js'
import { formatOwnLocation } from '../store/own-location.js'
import { isVerifiedPool, type VerifiedPool } from '../verify/verified-pool.js'
import { type OnContributionProgress, runStep } from './progress.js'

/** What a contributor wants to contribute. */
export interface ContributionInput {
  /** The export, as the contributor's own machine holds it. It leaves only sealed. */
  readonly bytes: Uint8Array
  /** Its media type, such as `text/csv`. */
  readonly mediaType: string
  /** Digest of the pool's table schema. */
  readonly schemaId: Digest
  /** Digest of the text that the contributor agreed to. */
  readonly consentDigest: Digest
  /** The X25519 key of the contributor's own wallet, so that the owner can always open the copy: see `walletIdentity`. */
  readonly walletPublicKey: Uint8Array
  /**
   * A number that this owner has not used in the registry; small consecutive numbers cost least gas. One number never counts
   * twice. Default: 8 random bytes.
   */
  readonly nonce?: bigint
  /** Last moment, unix seconds of chain time, at which the contribution may be recorded. Default: an hour from now. */
  readonly deadline?: bigint
  /**
   * Address under which the contributor's own store gives the sealed file to the pool's node, as `<ownStore>/<64 hex digits>`; the client's
   * `blobStore` must be that store. It goes on chain. A live pool keeps no copy and takes nothing else: its jobs use the data only while the
   * store answers. Absent: `blobStore` is the pool's.
   */
  readonly ownStore?: string
}

/** A sealed and stored contribution with its owner's signature: ready for `contributeSigned` or a batch. */
export interface PreparedContribution extends SignedContribution {
  /** The sealed file's size in bytes. */
  readonly sealedBytes: number
  /** No hardware stands behind the node that it was sealed to: show it. */
  readonly simulated: boolean
}

/** A sealed file and what of it goes on chain, before a store has it in its hands. */
export interface SealedContribution {
  readonly sealed: Uint8Array
  readonly contribution: Contribution
}

/** Seconds for which a signature counts unless told otherwise. */
const defaultLifetimeSeconds = 3600n

/** @throws ClientError `ACCOUNT_REQUIRED` */
function signerOf(account: Account): { readonly signTypedData: NonNullable<Account['signTypedData']> } {
  if (account.signTypedData !== undefined) return account
  throw new ClientError('ACCOUNT_REQUIRED', 'account', 'give an account that can sign typed data')
}

/** @throws ClientError `ACCOUNT_REQUIRED`, `NOT_READY` (no verified pool), `WRONG_CHAIN` */
export function requireSendable(options: {
  readonly pool: VerifiedPool
  readonly deployment: Pick<Deployment, 'chainId'>
  readonly account: Account
}): void {
  const { pool, account, deployment } = options
  signerOf(account)
  if (!isVerifiedPool(pool)) {
    throw new ClientError('NOT_READY', 'pool', 'nothing was sent: take the pool from a readiness that is ok')
  }
  if (deployment.chainId !== pool.chainId) {
    throw new ClientError('WRONG_CHAIN', 'deployment', 'the pool was verified on another chain')
  }
}

/**
 * Seals an export to the pool and to the contributor's own wallet: one payload, two recipients.
 *
 * @param options - the verified pool, the owner, the export, its nonce in the registry
 * @throws ClientError as {@link requireSendable}, `OWN_STORE_REQUIRED`, `OPTION_INVALID` (`ownStore`); CryptoError
 */
export async function sealContribution(options: {
  readonly pool: VerifiedPool
  readonly deployment: Pick<Deployment, 'chainId'>
  readonly account: Account
  readonly random: Random
  readonly input: ContributionInput
  readonly nonce: bigint
}): Promise<SealedContribution> {
  requireSendable(options)
  const { pool, account, input } = options
  if (pool.keep === 'live' && input.ownStore === undefined)
    throw new ClientError(
      'OWN_STORE_REQUIRED',
      'ownStore',
      'the pool keeps no copies: name a store of your own',
    )
  const owner = account.address.toLowerCase() as Address
  const sealed = await sealBytes(input.bytes, {
    recipients: [
      hpkeRecipient({ publicKey: pool.publicKey, keyId: pool.keyId }),
      walletRecipient({ publicKey: input.walletPublicKey, address: owner }),
    ],
    context: {
      chainId: pool.chainId,
      pool: pool.address,
      policyDigest: pool.policyDigest,
      epoch: pool.epoch,
      mediaType: input.mediaType,
    },
    random: options.random,
  })
  // What goes on chain is read from our own bytes before a store has them in its hands.
  const digest = sha256Digest(sealed)
  const contribution: Contribution = {
    owner: account.address,
    pool: pool.address,
    blobDigest: digestToHex(digest),
    commitment: digestToHex(parseHeader(sealed).context.commitment),
    schemaId: digestToHex(input.schemaId),
    consentDigest: digestToHex(input.consentDigest),
    epoch: pool.epoch,
    locator: locatorOf(input, digest),
    nonce: options.nonce,
  }
  return { sealed, contribution }
}

/**
 * Where the node will find a sealed file.
 *
 * @param input the export, with its owner's store where he has one
 * @param digest of the sealed file
 * @returns the text that goes on chain
 * @throws ClientError `OPTION_INVALID` when `ownStore` can be no address of a store
 */
export function locatorOf({ ownStore }: Pick<ContributionInput, 'ownStore'>, digest: Digest): string {
  return ownStore === undefined ? digest : formatOwnLocation(ownStore, digest)
}

/**
 * Stores a sealed contribution and demands that the store names it by its digest.
 *
 * @throws ClientError `BLOB_STORE_INVALID`; BlobStoreError
 */
export async function storeContribution(
  { sealed, contribution }: SealedContribution,
  blobStore: BlobStore,
  signal?: AbortSignal,
): Promise<void> {
  const stored = await blobStore.put(sealed, { signal })
  if (stored.locator !== stored.digest || digestToHex(stored.digest) !== contribution.blobDigest) {
    throw new ClientError(
      'BLOB_STORE_INVALID',
      'blobStore.put',
      'the store names the blob otherwise than by its digest; nothing was signed, use another store',
    )
  }
}

/**
 * Has the owner sign what goes on chain.
 *
 * @param options.deadline unix seconds; default: an hour from `now`
 * @throws ClientError `ACCOUNT_REQUIRED`; what the account throws when its holder declines
 */
export async function signPrepared(options: {
  readonly account: Account
  readonly deployment: Pick<Deployment, 'chainId' | 'dataRegistry'>
  readonly contribution: Contribution
  readonly deadline: bigint | undefined
  readonly now: Date
}): Promise<SignedContribution> {
  const { account, deployment, contribution } = options
  const signer = signerOf(account)
  const seconds = BigInt(Math.floor(options.now.getTime() / 1000))
  const deadline = options.deadline ?? seconds + defaultLifetimeSeconds
  const signature = await signer.signTypedData(contributionTypedData({ deployment, contribution, deadline }))
  return { contribution, deadline, signature }
}

const isUint256 = (value: unknown) => typeof value === 'bigint' && value >> 256n === 0n
const isDigest = (value: unknown) => /^sha256:[0-9a-f]{64}$/.test(String(value))

/**
 * The number of a contribution in the registry: the caller's, or 8 random bytes. It is the first thing that is asked of an input, and an input
 * of which no journal could keep a note and no chain a record gets none.
 *
 * @throws ClientError `OPTION_INVALID`
 */
export function nonceOf(input: ContributionInput, random: Random): bigint {
  const { nonce = BigInt(encodeHex(random(8))), deadline = 0n } = input
  const fits = {
    bytes: input.bytes instanceof Uint8Array,
    schemaId: isDigest(input.schemaId),
    consentDigest: isDigest(input.consentDigest),
    nonce: isUint256(nonce),
    deadline: isUint256(deadline),
  }
  for (const [name, fit] of Object.entries(fits))
    if (!fit) throw new ClientError('OPTION_INVALID', `input.${name}`, 'it cannot stand on chain')
  return nonce
}

/**
 * Seals an export to the pool and to the contributor's own wallet (one payload, two recipients), stores it and has the
 * owner sign the record that goes on chain. Takes only a pool that `verifyPool` made: there is no way to seal to another.
 * How old that verification is, is up to the caller; `PoolClient.prepareContribution` sees to it.
 *
 * @param options - the verified pool, the deployment on the pool's chain, the owner's account (a viem account that signs
 *   typed data), the export; `now` for the default of its deadline; `onProgress` and `signal` as for `contribute`
 * @returns the signed contribution
 * @throws ClientError before anything is sealed: `ACCOUNT_REQUIRED`, `NOT_READY` (no verified pool), `WRONG_CHAIN`, `OWN_STORE_REQUIRED`; after
 *   the blob was stored: `BLOB_STORE_INVALID`. CryptoError and BlobStoreError as their calls
 */
export async function prepareContribution(options: {
  readonly pool: VerifiedPool
  readonly deployment: Pick<Deployment, 'chainId' | 'dataRegistry'>
  readonly account: Account
  readonly blobStore: BlobStore
  readonly random: Random
  readonly input: ContributionInput
  readonly now: Date
  readonly onProgress?: OnContributionProgress
  readonly signal?: AbortSignal
}): Promise<PreparedContribution> {
  const { pool, input, blobStore, random, signal } = options
  const nonce = nonceOf(input, random)
  const made = await runStep('seal', options, () => sealContribution({ ...options, nonce }))
  await runStep('store', options, () => storeContribution(made, blobStore, signal))
  const { contribution } = made
  const signed = await runStep('sign', options, () =>
    signPrepared({ ...options, contribution, deadline: input.deadline }),
  )
  return { ...signed, sealedBytes: made.sealed.length, simulated: pool.simulated }
}
