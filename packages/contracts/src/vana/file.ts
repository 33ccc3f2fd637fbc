import { type Address, type Client, type Hex, parseEventLogs } from 'viem'
import { logsOf, type Sent, type WriteOptions } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import { dataLiquidityPoolAbi, dataRegistryAbi, teePoolAbi } from './abi.js'
import { view, write } from './contract-call.js'

/** A file of the catalogue. `owner` is what somebody said when it was added: the contract asks for no signature of it. */
export interface VanaFile {
  readonly id: bigint
  readonly owner: Address
  readonly url: string
  /** 0: none. */
  readonly schemaId: bigint
  readonly addedAtBlock: bigint
}

/** A proof of contribution. Anyone can add one; what counts is whether a pool's own contracts accept its signer. */
export interface VanaProof {
  readonly signature: Hex
  /** 0 to 1e18. */
  readonly score: bigint
  readonly dlpId: bigint
  readonly metadata: string
  readonly proofUrl: string
  readonly instruction: string
}

/** Who may open a file: the file's key, wrapped for an account. */
export interface FilePermission {
  readonly account: Address
  readonly key: string
}

/** A job of the proof pool. */
export interface ProofJob {
  readonly id: bigint
  readonly fileId: bigint
  readonly status: 'None' | 'Submitted' | 'Completed' | 'Canceled'
  readonly bidAmount: bigint
  readonly owner: Address
  readonly tee: Address
  /** Unix seconds. */
  readonly addedAt: bigint
}

const jobStatuses = ['None', 'Submitted', 'Completed', 'Canceled'] as const

/**
 * Adds a file to the catalogue, with wrapped keys and a schema where they are given. Its owner is the sender, unless `owner`
 * names another account, which the contract believes.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `dataRegistry`, Vana's contract of files; `url`, where the file is; `owner`
 * and `permissions`, both or neither; `schemaId`, default none
 * @returns the mined transaction, and the file's identifier
 * @throws {ContractsError} `REVERTED`: `FileUrlAlreadyUsed`; `NO_ACCOUNT`, `TRANSACTION_TIMEOUT`.
 * @example
 * const { fileId } = await addFile(client, { dataRegistry, url, permissions: [{ account: pool, key: wrapped }], owner })
 */
export async function addFile(
  client: Client,
  args: WriteOptions & { readonly dataRegistry: Address; readonly url: string } & (
      | { readonly owner?: never; readonly permissions?: never; readonly schemaId?: bigint }
      | {
          readonly owner: Address
          readonly permissions: readonly FilePermission[]
          readonly schemaId?: bigint
        }
    ),
): Promise<Sent & { readonly fileId: bigint }> {
  const { dataRegistry: address, url, schemaId } = args
  const contract = { address, abi: dataRegistryAbi } as const
  let sent: Sent
  if (args.permissions !== undefined) {
    const { owner, permissions } = args
    sent = await (schemaId === undefined
      ? write(
          client,
          { ...contract, functionName: 'addFileWithPermissions', args: [url, owner, permissions] },
          args,
        )
      : write(
          client,
          {
            ...contract,
            functionName: 'addFileWithPermissionsAndSchema',
            args: [url, owner, permissions, schemaId],
          },
          args,
        ))
  } else if (schemaId === undefined) {
    sent = await write(client, { ...contract, functionName: 'addFile', args: [url] }, args)
  } else {
    sent = await write(
      client,
      { ...contract, functionName: 'addFileWithSchema', args: [url, schemaId] },
      args,
    )
  }
  const [event] = parseEventLogs({
    abi: dataRegistryAbi,
    eventName: 'FileAdded',
    logs: logsOf(sent, address),
  })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', 'vana.addFile', 'the receipt holds no FileAdded event')
  return { ...sent, fileId: event.args.fileId }
}

/**
 * Gives an account the wrapped key of a file. Only the file's owner.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `dataRegistry`, Vana's contract of files; `fileId`; `permission`, the account
 * and the key wrapped for it
 * @returns the mined transaction: its hash and receipt
 */
export function addFilePermission(
  client: Client,
  args: WriteOptions & {
    readonly dataRegistry: Address
    readonly fileId: bigint
    readonly permission: FilePermission
  },
): Promise<Sent> {
  const { dataRegistry: address, fileId, permission } = args
  return write(
    client,
    {
      address,
      abi: dataRegistryAbi,
      functionName: 'addFilePermission',
      args: [fileId, permission.account, permission.key],
    },
    args,
  )
}

/**
 * Reads a file; `null` when there is none with this identifier.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `dataRegistry`, Vana's contract of files; `fileId`
 * @returns the file's entry, or `null`
 * @throws {ContractsError} `CHAIN_UNREACHABLE`, `REVERTED`.
 */
export async function getFile(
  client: Client,
  args: { readonly dataRegistry: Address; readonly fileId: bigint },
): Promise<VanaFile | null> {
  const file = await view(client, {
    address: args.dataRegistry,
    abi: dataRegistryAbi,
    functionName: 'files',
    args: [args.fileId],
  })
  if (file.addedAtBlock === 0n) return null
  const { id, ownerAddress: owner, url, schemaId, addedAtBlock } = file
  return { id, owner, url, schemaId, addedAtBlock }
}

/**
 * Finds a file by its address; `null` when it was never added.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `dataRegistry`, Vana's contract of files; `url`, exactly as it was added
 * @returns the file's entry, or `null`
 */
export async function getFileByUrl(
  client: Client,
  args: { readonly dataRegistry: Address; readonly url: string },
): Promise<VanaFile | null> {
  const { dataRegistry, url } = args
  const fileId = await view(client, {
    address: dataRegistry,
    abi: dataRegistryAbi,
    functionName: 'fileIdByUrl',
    args: [url],
  })
  return fileId === 0n ? null : getFile(client, { dataRegistry, fileId })
}

/**
 * The key of a file that was wrapped for an account; `null` when it has none.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `dataRegistry`, Vana's contract of files; `fileId`; `account`, for whom the key was wrapped
 * @returns the wrapped key as it was written, or `null`
 */
export async function getFileKey(
  client: Client,
  args: { readonly dataRegistry: Address; readonly fileId: bigint; readonly account: Address },
): Promise<string | null> {
  const key = await view(client, {
    address: args.dataRegistry,
    abi: dataRegistryAbi,
    functionName: 'filePermissions',
    args: [args.fileId, args.account],
  })
  return key === '' ? null : key
}

/**
 * Reads a proof of a file, counted from 1.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `dataRegistry`, Vana's contract of files; `fileId`; `index`, the proof's number
 * @returns the proof and its signature, which is not verified here
 */
export async function getFileProof(
  client: Client,
  args: { readonly dataRegistry: Address; readonly fileId: bigint; readonly index: bigint },
): Promise<VanaProof> {
  const { signature, data } = await view(client, {
    address: args.dataRegistry,
    abi: dataRegistryAbi,
    functionName: 'fileProofs',
    args: [args.fileId, args.index],
  })
  return { signature, ...data }
}

/**
 * Asks the proof pool for a proof of contribution, and pays its fee.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `teePool`, the contract of the proof pool; `fileId`
 * @param args.bid Wei; default the pool's fee.
 * @returns The job, read from the chain after the transaction.
 * @throws {ContractsError} `REVERTED`; `NOT_FOUND` when the pool lists no job for the file afterwards.
 */
export async function requestContributionProof(
  client: Client,
  args: WriteOptions & { readonly teePool: Address; readonly fileId: bigint; readonly bid?: bigint },
): Promise<Sent & { readonly jobId: bigint }> {
  const pool = { address: args.teePool, abi: teePoolAbi } as const
  const value = args.bid ?? (await view(client, { ...pool, functionName: 'teeFee', args: [] }))
  const sent = await write(
    client,
    { ...pool, functionName: 'requestContributionProof', args: [args.fileId], value },
    args,
  )
  const [event] = parseEventLogs({
    abi: teePoolAbi,
    eventName: 'JobSubmitted',
    logs: logsOf(sent, args.teePool),
  })
  if (event === undefined)
    throw new ContractsError(
      'NOT_FOUND',
      'vana.requestContributionProof',
      'the receipt holds no JobSubmitted event',
    )
  return { ...sent, jobId: event.args.jobId }
}

/**
 * Reads a job of the proof pool.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `teePool`, the contract of the proof pool; `jobId`
 * @returns file, status, bid (wei), owner and machine of the job
 * @throws {ContractsError} `NOT_FOUND` when there is none.
 */
export async function getProofJob(
  client: Client,
  args: { readonly teePool: Address; readonly jobId: bigint },
): Promise<ProofJob> {
  const job = await view(client, {
    address: args.teePool,
    abi: teePoolAbi,
    functionName: 'jobs',
    args: [args.jobId],
  })
  const status = jobStatuses[job.status]
  if (status === undefined || status === 'None') {
    throw new ContractsError('NOT_FOUND', 'vana.getProofJob', `there is no job ${args.jobId}`)
  }
  const { fileId, bidAmount, ownerAddress: owner, teeAddress: tee, addedTimestamp: addedAt } = job
  return { id: args.jobId, fileId, status, bidAmount, owner, tee, addedAt }
}

/**
 * Asks a pool for the reward of a proof; it goes to the file's owner.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `pool`, the contract of the data pool; `fileId`; `proofIndex`, the proof's
 * number, from 1
 * @returns the mined transaction, and the reward
 */
export async function requestReward(
  client: Client,
  args: WriteOptions & { readonly pool: Address; readonly fileId: bigint; readonly proofIndex: bigint },
): Promise<Sent & { /** Smallest unit of the pool's token. */ readonly reward: bigint }> {
  const sent = await write(
    client,
    {
      address: args.pool,
      abi: dataLiquidityPoolAbi,
      functionName: 'requestReward',
      args: [args.fileId, args.proofIndex],
    },
    args,
  )
  const [event] = parseEventLogs({
    abi: dataLiquidityPoolAbi,
    eventName: 'RewardRequested',
    logs: logsOf(sent, args.pool),
  })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', 'vana.requestReward', 'the receipt holds no RewardRequested event')
  return { ...sent, reward: event.args.rewardAmount }
}
