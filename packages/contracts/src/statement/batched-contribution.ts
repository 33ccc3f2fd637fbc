import {
  type Account,
  type Address,
  encodeAbiParameters,
  type Hex,
  keccak256,
  maxUint64,
  stringToHex,
} from 'viem'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'

/** What all contributions of one batch have in common. */
export interface BatchHeader {
  readonly pool: Address
  /** The pool's current key epoch. */
  readonly epoch: number
  readonly schemaId: Hex
  /** Unix seconds until which the owners' signatures count; default: no end. */
  readonly deadline?: bigint
  /** The locator of an entry is this text followed by the 64 hex digits of its blob digest; 1 to 440 bytes. */
  readonly locatorBase: string
}

/** One contribution of a batch. Digests are 32-byte hex. */
export interface BatchEntry {
  readonly owner: Address
  /** SHA-256 of the sealed bytes. */
  readonly blobDigest: Hex
  /** Salted commitment to the plaintext. */
  readonly commitment: Hex
  readonly consentDigest: Hex
}

/** Where an entry stands: the signature is good for this place only. */
export interface BatchPlace {
  readonly deployment: Pick<Deployment, 'chainId' | 'contributionBatches'>
  /** Who will send the batch. */
  readonly relayer: Address
  /** The relayer's batch number (`getNextBatchNumber`). */
  readonly number: bigint
  readonly header: BatchHeader
  /** Counted from 0. */
  readonly index: number
  readonly entry: BatchEntry
}

/** EIP-712 types of an entry. */
export const batchedContributionTypes = {
  BatchedContribution: [
    { name: 'batch', type: 'bytes32' },
    { name: 'index', type: 'uint256' },
    { name: 'owner', type: 'address' },
    { name: 'blobDigest', type: 'bytes32' },
    { name: 'commitment', type: 'bytes32' },
    { name: 'consentDigest', type: 'bytes32' },
  ],
} as const

/**
 * What binds the entries of a batch to relayer, number, pool, epoch, schema, deadline and locators.
 *
 * @param args - `relayer`, who will send the batch; `number`, its number; `header`, what the entries share
 * @returns 32 bytes: the field `batch` of what owners sign
 */
export function batchHash(args: Pick<BatchPlace, 'relayer' | 'number' | 'header'>): Hex {
  const { pool, epoch, schemaId, locatorBase } = args.header
  return keccak256(
    encodeAbiParameters(
      [
        { type: 'address' },
        { type: 'uint256' },
        { type: 'address' },
        { type: 'uint32' },
        { type: 'bytes32' },
        { type: 'uint64' },
        { type: 'bytes32' },
      ],
      [
        args.relayer,
        args.number,
        pool,
        epoch,
        schemaId,
        args.header.deadline ?? maxUint64,
        keccak256(stringToHex(locatorBase)),
      ],
    ),
  )
}

/**
 * The EIP-712 data that the owner of an entry signs.
 *
 * @param args - the entry and its place: deployment, relayer, batch number, header and index
 * @returns domain, types and message as viem's `signTypedData` takes them
 */
export function batchedContributionTypedData(args: BatchPlace) {
  return {
    domain: {
      name: 'Sealpool',
      version: '1',
      chainId: args.deployment.chainId,
      verifyingContract: args.deployment.contributionBatches,
    },
    types: batchedContributionTypes,
    primaryType: 'BatchedContribution',
    message: { batch: batchHash(args), index: BigInt(args.index), ...args.entry },
  } as const
}

/**
 * Signs an entry of a batch with a local account.
 *
 * @param args - the entry and its place; `account`, the owner's, local
 * @returns the signature, 65 bytes r || s || v
 * @throws {ContractsError} `NO_ACCOUNT` when the account cannot sign typed data; `ARGUMENT_INVALID` when it is not the owner.
 */
export async function signBatchedContribution(
  args: BatchPlace & { readonly account: Account },
): Promise<Hex> {
  const { account, entry } = args
  const place = 'signBatchedContribution'
  if (account.signTypedData === undefined) {
    throw new ContractsError('NO_ACCOUNT', place, 'this account cannot sign here: use a local account')
  }
  if (account.address.toLowerCase() !== entry.owner.toLowerCase()) {
    throw new ContractsError('ARGUMENT_INVALID', place, 'the account is not the owner')
  }
  return account.signTypedData(batchedContributionTypedData(args))
}

/**
 * Leaf of an entry in its batch's tree.
 *
 * @param index - the entry's place in the batch, from 0
 * @param entry - the entry as its owner signed it
 * @returns the leaf, 32 bytes, hashed twice
 */
export function batchEntryLeaf(index: number, entry: BatchEntry): Hex {
  const inner = keccak256(
    encodeAbiParameters(
      [
        { type: 'uint256' },
        { type: 'address' },
        { type: 'bytes32' },
        { type: 'bytes32' },
        { type: 'bytes32' },
      ],
      [BigInt(index), entry.owner, entry.blobDigest, entry.commitment, entry.consentDigest],
    ),
  )
  return keccak256(inner)
}

/** A node's verdict on an accepted entry of a batch. */
export interface BatchVerdict {
  readonly index: number
  readonly owner: Address
  /** 1 to 10,000: refused entries are no leaves. */
  readonly score: number
  readonly verdictDigest: Hex
}

/**
 * Leaf of a verdict in a batch's verdict tree.
 *
 * @param batchId - the batch's identifier on chain
 * @param verdict - the verdict on an accepted entry
 * @returns the leaf, 32 bytes, hashed twice
 */
export function batchVerdictLeaf(batchId: bigint, verdict: BatchVerdict): Hex {
  const inner = keccak256(
    encodeAbiParameters(
      [{ type: 'uint256' }, { type: 'uint32' }, { type: 'address' }, { type: 'uint16' }, { type: 'bytes32' }],
      [batchId, verdict.index, verdict.owner, verdict.score, verdict.verdictDigest],
    ),
  )
  return keccak256(inner)
}
