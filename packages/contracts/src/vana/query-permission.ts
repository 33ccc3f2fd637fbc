import { type Address, type Client, parseEventLogs, zeroAddress } from 'viem'
import { logsOf, type Sent, type WriteOptions } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import { queryEngineAbi } from './abi.js'
import { view, write } from './contract-call.js'

/** What a grantee may query. The chain does not enforce it: the query service reads it. */
export interface QueryPermission {
  readonly permissionId: bigint
  /** The zero address: everyone. */
  readonly grantee: Address
  readonly approved: boolean
  readonly refinerId: bigint
  /** Empty: every table. */
  readonly tableName: string
  /** Empty: every column. */
  readonly columnName: string
  /** What `price` is in; the zero address: the chain's own coin. */
  readonly token: Address
  /** Smallest unit. The chain asks nobody to pay it. */
  readonly price: bigint
}

/**
 * The approved permissions on the data of a refiner that a grantee has: its own and everyone's.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `queryEngine`, the contract's address; `refinerId`, of the refiner; `grantee`, the account, zero for what
 * everyone may
 * @returns the permissions; empty when there are none
 */
export async function getQueryPermissions(
  client: Client,
  args: { readonly queryEngine: Address; readonly refinerId: bigint; readonly grantee: Address },
): Promise<readonly QueryPermission[]> {
  const permissions = await view(client, {
    address: args.queryEngine,
    abi: queryEngineAbi,
    functionName: 'getPermissions',
    args: [args.refinerId, args.grantee],
  })
  return permissions.map(({ tokenAddress: token, ...permission }) => ({ ...permission, token }))
}

/**
 * Permits a query. Only the refiner's owner.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `queryEngine`, the contract's address; the fields of {@link QueryPermission}
 * but identifier and approval; `token` defaults to the chain's own coin
 * @returns the mined transaction, and the permission's identifier
 */
export async function addQueryPermission(
  client: Client,
  args: WriteOptions &
    Omit<QueryPermission, 'permissionId' | 'approved' | 'token'> & {
      readonly queryEngine: Address
      readonly token?: Address
    },
): Promise<Sent & { readonly permissionId: bigint }> {
  const { queryEngine: address, grantee, refinerId, tableName, columnName, token = zeroAddress, price } = args
  const sent = await write(
    client,
    {
      address,
      abi: queryEngineAbi,
      functionName: 'addPermission',
      args: [grantee, refinerId, tableName, columnName, token, price],
    },
    args,
  )
  const [event] = parseEventLogs({
    abi: queryEngineAbi,
    eventName: 'PermissionAdded',
    logs: logsOf(sent, address),
  })
  if (event === undefined)
    throw new ContractsError(
      'NOT_FOUND',
      'vana.addQueryPermission',
      'the receipt holds no PermissionAdded event',
    )
  return { ...sent, permissionId: event.args.permissionId }
}

/**
 * Approves a query permission, or takes the approval back. Only the refiner's owner.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `queryEngine`, the contract's address; `permissionId`; `approved`, `false` to
 * take the approval back
 * @returns the mined transaction: its hash and receipt
 */
export function setQueryPermissionApproval(
  client: Client,
  args: WriteOptions & {
    readonly queryEngine: Address
    readonly permissionId: bigint
    readonly approved: boolean
  },
): Promise<Sent> {
  return write(
    client,
    {
      address: args.queryEngine,
      abi: queryEngineAbi,
      functionName: 'updatePermissionApproval',
      args: [args.permissionId, args.approved],
    },
    args,
  )
}
