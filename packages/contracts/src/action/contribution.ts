import {
  type Address,
  type Client,
  type Hash,
  type Hex,
  hexToBigInt,
  isAddressEqual,
  parseAbi,
  parseEventLogs,
  recoverTypedDataAddress,
  size,
  slice,
} from 'viem'
import { getBlockNumber, getCode, getContractEvents, readContract } from 'viem/actions'
import { dataRegistryAbi } from '../abi/DataRegistry.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import {
  type Contribution,
  contributionTypedData,
  type SignedContribution,
} from '../statement/contribution.js'
import { encodeCall } from './encode-call.js'
import { DEFAULT_BLOCKS_PER_REQUEST, readInRanges } from './logs.js'
import { logsOf, reading, type Sent, send, type WriteOptions } from './transaction.js'

/** What became of a contribution. */
export type ContributionState = 'Offered' | 'Accepted' | 'Refused' | 'Withdrawn' | 'Superseded' | 'Erased'

/** All that a page which reads a contribution needs of the factory's ABI. */
const poolAtAbi = /* @__PURE__ */ parseAbi(['function poolAt(uint32 index) view returns (address)'])

const states = ['None', 'Offered', 'Accepted', 'Refused', 'Withdrawn', 'Superseded', 'Erased'] as const

/** A contribution as its event tells it. */
export interface ContributionEvent extends Contribution {
  readonly id: bigint
  readonly blockNumber: bigint
  readonly blockHash: Hash
  readonly logIndex: number
  readonly transactionHash: Hash
}

/** What the chain itself remembers of a contribution. */
export interface ContributionRecord {
  readonly id: bigint
  readonly owner: Address
  readonly pool: Address
  readonly epoch: number
  /** 0 to 10,000. */
  readonly score: number
  readonly state: ContributionState
}

/** A recorded verdict. */
export interface VerdictRecord {
  readonly id: bigint
  readonly pool: Address
  readonly owner: Address
  readonly score: number
  readonly refused: boolean
  readonly verdictDigest: Hex
  readonly blockNumber: bigint
  readonly blockHash: Hash
  readonly logIndex: number
  readonly transactionHash: Hash
}

/**
 * Contributes in the owner's own transaction.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `contribution`, whose owner must be the sender
 * @returns The identifier, and the transaction.
 * @throws {ContractsError} `REVERTED`: `OwnerNotSender`, `EpochNotCurrent`, `EpochPolicyStale`, `NonceUsed`,
 * `PoolUnknown`, `LocatorLengthInvalid`, `DigestZero`.
 */
export async function contribute(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment; readonly contribution: Contribution },
): Promise<Sent & { readonly id: bigint }> {
  const data = encodeCall({
    abi: dataRegistryAbi,
    functionName: 'contribute',
    args: [args.contribution],
  })
  const place = 'DataRegistry.contribute'
  const sent = await send(client, place, { to: args.deployment.dataRegistry, data }, args)
  return { ...sent, id: only(place, idsIn(sent, args.deployment.dataRegistry)) }
}

/**
 * Records a contribution that its owner signed; the sender pays the gas and has no say.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `signed`, the contribution with its owner's signature
 * (`signContribution`)
 * @returns the contribution's identifier, and the mined transaction
 * @throws {ContractsError} `REVERTED`: as {@link contribute}, and `ContributionSignatureInvalid`, `SignatureExpired`.
 */
export async function contributeSigned(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment; readonly signed: SignedContribution },
): Promise<Sent & { readonly id: bigint }> {
  const { contribution, deadline, signature } = args.signed
  const data = encodeCall({
    abi: dataRegistryAbi,
    functionName: 'contributeSigned',
    args: [contribution, deadline, signature],
  })
  const place = 'DataRegistry.contributeSigned'
  const sent = await send(client, place, { to: args.deployment.dataRegistry, data }, args)
  return { ...sent, id: only(place, idsIn(sent, args.deployment.dataRegistry)) }
}

/** Half of the order of secp256k1: of the two forms of a signature the chain takes the one below (EIP-2). */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

/** Whether a signature has the form that the chain takes: 65 bytes, `s` in the lower half, `v` 27 or 28. */
const isOfChainForm = (signature: Hex): boolean =>
  size(signature) === 65 &&
  hexToBigInt(slice(signature, 32, 64)) <= HALF_ORDER &&
  ['0x1b', '0x1c'].includes(slice(signature, 64).toLowerCase())

/**
 * Gas for accounts without code that have some when the batch is mined (EIP-7702): each is asked as a wallet then, which takes what
 * `WalletConfirmation.sol` bounds. What is not used is not paid.
 */
const LATE_WALLET_GAS = 520_000n
const LATE_WALLETS = 4

/** Refuses what no key of its owner signed, where nothing but a key can sign: the chain would leave it out, and charge for it. */
async function requireSigned(
  client: Client,
  place: string,
  args: { readonly deployment: Deployment; readonly signed: readonly SignedContribution[] },
): Promise<void> {
  for (const [index, { contribution, deadline, signature }] of args.signed.entries()) {
    const { owner } = contribution
    const data = contributionTypedData({ deployment: args.deployment, contribution, deadline })
    const signer = isOfChainForm(signature)
      ? await recoverTypedDataAddress({ ...data, signature }).catch(() => undefined)
      : undefined
    if (signer !== undefined && isAddressEqual(signer, owner)) continue
    const code = await reading(place, () => getCode(client, { address: owner }))
    if (code !== undefined) continue
    throw new ContractsError('ARGUMENT_INVALID', place, `signed[${index}]: this is no signature of ${owner}`)
  }
}

/**
 * Records many signed contributions in one transaction; one whose nonce was used since is left out, and so is one that its owner
 * has not signed, or whose deadline has passed, when it is mined: a contract wallet has a bound of gas to confirm its signature. About 50 to 100 per batch are sensible; with
 * 50, one contribution costs about half of the gas of one sent alone.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `signed`, contributions with their owners' signatures, of any
 * owners and pools
 * @returns Identifiers in the order of `signed`, without those that were left out, whose places are `skipped` and `notSigned`.
 * @throws {ContractsError} `REVERTED`: as {@link contributeSigned}; the first argument of the decoded error is the index
 * of the entry at fault. `ARGUMENT_INVALID` before anything is sent, naming the entry, when no key of its owner signed it.
 */
export async function contributeBatch(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment; readonly signed: readonly SignedContribution[] },
): Promise<
  Sent & {
    readonly ids: bigint[]
    /** Places in `signed` of those whose nonce was used since: they were left out. */
    readonly skipped: number[]
    /**
     * Places in `signed` of those whose owner had not signed when it was mined, as a contract wallet may answer otherwise by then,
     * or whose deadline had passed: they were left out.
     */
    readonly notSigned: number[]
  }
> {
  const data = encodeCall({
    abi: dataRegistryAbi,
    functionName: 'contributeBatch',
    args: [
      args.signed.map(({ contribution }) => contribution),
      args.signed.map(({ deadline }) => deadline),
      args.signed.map(({ signature }) => signature),
    ],
  })
  const place = 'DataRegistry.contributeBatch'
  await requireSigned(client, place, args)
  const reserve = LATE_WALLET_GAS * BigInt(Math.min(LATE_WALLETS, args.signed.length))
  const sent = await send(client, place, { to: args.deployment.dataRegistry, data, reserve }, args)
  const ids = idsIn(sent, args.deployment.dataRegistry)
  const skipped = parseEventLogs({
    abi: dataRegistryAbi,
    eventName: 'ContributionSkipped',
    logs: logsOf(sent, args.deployment.dataRegistry),
  }).map((event) => Number(event.args.index))
  const notSigned = parseEventLogs({
    abi: dataRegistryAbi,
    eventName: 'ContributionNotSigned',
    logs: logsOf(sent, args.deployment.dataRegistry),
  }).map((event) => Number(event.args.index))
  if (ids.length + skipped.length + notSigned.length !== args.signed.length) {
    throw new ContractsError('NOT_FOUND', place, 'the receipt does not hold one Contributed event for each')
  }
  return { ...sent, ids, skipped, notSigned }
}

/**
 * Reads the record of a contribution.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `id`, the contribution's identifier, counted from 1
 * @returns owner, pool, key epoch, score and state; digests and locator are only in {@link getContributions}
 * @throws {ContractsError} `NOT_FOUND` when there is none with this identifier.
 */
export async function getContribution(
  client: Client,
  args: { readonly deployment: Deployment; readonly id: bigint },
): Promise<ContributionRecord> {
  const place = 'getContribution'
  return reading(place, async () => {
    const record = await readContract(client, {
      address: args.deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'getRecord',
      args: [args.id],
    })
    const state = states[record.state]
    if (state === undefined || state === 'None') {
      throw new ContractsError('NOT_FOUND', place, `there is no contribution ${args.id}`)
    }
    const pool = await readContract(client, {
      address: args.deployment.poolFactory,
      abi: poolAtAbi,
      functionName: 'poolAt',
      args: [record.poolIndex],
    })
    const { owner, epoch, score } = record
    return { id: args.id, owner, pool, epoch, score, state }
  })
}

/** Which events to read. */
export interface EventQuery {
  readonly deployment: Deployment
  /** Default: the deployment's first block. */
  readonly fromBlock?: bigint
  /** Default: the newest block. Pass a final one where reorganisations matter. */
  readonly toBlock?: bigint
  /** Default 5,000. */
  readonly blocksPerRequest?: bigint
}

/**
 * Reads contributions from events, oldest first.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - which blocks to read, both ends included; `pool`: only of this pool, default all
 * @returns the contributions as they were offered, and where their events stand; entries of Merkle batches are in
 * `getBatches`
 */
export async function getContributions(
  client: Client,
  args: EventQuery & { readonly pool?: Address },
): Promise<ContributionEvent[]> {
  return reading('getContributions', async () => {
    const logs = await readInRanges(await rangeOf(client, args), perRequest(args), (range) =>
      getContractEvents(client, {
        address: args.deployment.dataRegistry,
        abi: dataRegistryAbi,
        eventName: 'Contributed',
        args: args.pool === undefined ? {} : { pool: args.pool },
        strict: true,
        ...range,
      }),
    )
    return logs.map(({ args: fields, blockNumber, blockHash, logIndex, transactionHash }) => ({
      ...fields,
      blockNumber,
      blockHash,
      logIndex,
      transactionHash,
    }))
  })
}

/**
 * Reads recorded verdicts from events, oldest first.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - which blocks to read, both ends included; `pool`, `id`: only of this pool, on this contribution; default
 * all
 * @returns the verdicts, and where their events stand; those on Merkle batches are not among them
 */
export async function getVerdicts(
  client: Client,
  args: EventQuery & { readonly pool?: Address; readonly id?: bigint },
): Promise<VerdictRecord[]> {
  return reading('getVerdicts', async () => {
    const logs = await readInRanges(await rangeOf(client, args), perRequest(args), (range) =>
      getContractEvents(client, {
        address: args.deployment.dataRegistry,
        abi: dataRegistryAbi,
        eventName: 'VerdictRecorded',
        args: {
          ...(args.pool === undefined ? {} : { pool: args.pool }),
          ...(args.id === undefined ? {} : { id: args.id }),
        },
        strict: true,
        ...range,
      }),
    )
    return logs.map(({ args: fields, blockNumber, blockHash, logIndex, transactionHash }) => ({
      ...fields,
      blockNumber,
      blockHash,
      logIndex,
      transactionHash,
    }))
  })
}

/**
 * Reads the verdict on one contribution; `null` when none is recorded yet.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `id`, the contribution's identifier; the blocks in which to look
 * @returns the verdict, or `null`
 */
export async function getVerdict(
  client: Client,
  args: EventQuery & { readonly id: bigint },
): Promise<VerdictRecord | null> {
  const [verdict] = await getVerdicts(client, args)
  return verdict ?? null
}

/** The blocks that a query means. */
export async function rangeOf(client: Client, query: EventQuery) {
  return {
    fromBlock: query.fromBlock ?? query.deployment.blockNumber,
    toBlock: query.toBlock ?? (await getBlockNumber(client, { cacheTime: 0 })),
  }
}

/** How many blocks one request of a query covers. */
export function perRequest(query: EventQuery): bigint {
  return query.blocksPerRequest ?? DEFAULT_BLOCKS_PER_REQUEST
}

function idsIn(sent: Sent, registry: Address): bigint[] {
  return parseEventLogs({ abi: dataRegistryAbi, eventName: 'Contributed', logs: logsOf(sent, registry) }).map(
    (log) => log.args.id,
  )
}

function only(place: string, ids: readonly bigint[]): bigint {
  const [id] = ids
  if (id === undefined) throw new ContractsError('NOT_FOUND', place, 'the receipt holds no Contributed event')
  return id
}
