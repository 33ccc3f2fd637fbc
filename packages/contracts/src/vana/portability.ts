import { type Account, type Address, type Client, type Hex, parseEventLogs } from 'viem'
import { logsOf, type Sent, type WriteOptions } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import { dataPortabilityGranteesAbi, dataPortabilityPermissionsAbi } from './abi.js'
import { view, write } from './contract-call.js'

/** What a user permits a grantee. */
export interface PortabilityPermission {
  readonly nonce: bigint
  readonly granteeId: bigint
  /** Where the grant's text is. */
  readonly grant: string
  readonly fileIds: readonly bigint[]
}

/** A permission as it was recorded. */
export interface RecordedPermission extends PortabilityPermission {
  readonly id: bigint
  readonly grantor: Address
  readonly startBlock: bigint
  /** The largest number: it never ends by itself. */
  readonly endBlock: bigint
  readonly signature: Hex
}

const permissionTypes = {
  Permission: [
    { name: 'nonce', type: 'uint256' },
    { name: 'granteeId', type: 'uint256' },
    { name: 'grant', type: 'string' },
    { name: 'fileIds', type: 'uint256[]' },
  ],
} as const

/**
 * The EIP-712 data of a permission: domain `VanaDataPortabilityPermissions`, version 1.
 *
 * @param args - `chainId`, of Vana's chain; `permissions`, the contract's address; `permission`, what is signed, with its
 * nonce
 * @returns domain, types and message as viem's `signTypedData` takes them
 */
export function portabilityPermissionTypedData(args: {
  readonly chainId: number
  readonly permissions: Address
  readonly permission: PortabilityPermission
}) {
  return {
    domain: {
      name: 'VanaDataPortabilityPermissions',
      version: '1',
      chainId: args.chainId,
      verifyingContract: args.permissions,
    },
    types: permissionTypes,
    primaryType: 'Permission',
    message: args.permission,
  } as const
}

/**
 * Signs a permission with the next nonce of the account, read from the chain.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `account`, the grantor's, local; `chainId`, of Vana's chain; `permissions`, the contract's address;
 * `granteeId`, `grant` and `fileIds` of the permission
 * @returns the permission with its nonce, and the signature: {@link addPortabilityPermission} takes both
 * @throws {ContractsError} `ARGUMENT_INVALID` when the account cannot sign typed data.
 */
export async function signPortabilityPermission(
  client: Client,
  args: { readonly account: Account; readonly chainId: number; readonly permissions: Address } & Omit<
    PortabilityPermission,
    'nonce'
  >,
): Promise<{ readonly permission: PortabilityPermission; readonly signature: Hex }> {
  const { account, chainId, permissions, granteeId, grant, fileIds } = args
  if (account.signTypedData === undefined) {
    throw new ContractsError(
      'ARGUMENT_INVALID',
      'vana.signPortabilityPermission',
      'the account cannot sign typed data; give a local account',
    )
  }
  const [nonce] = await view(client, {
    address: permissions,
    abi: dataPortabilityPermissionsAbi,
    functionName: 'users',
    args: [account.address],
  })
  const permission = { nonce, granteeId, grant, fileIds }
  const signature = await account.signTypedData(
    portabilityPermissionTypedData({ chainId, permissions, permission }),
  )
  return { permission, signature }
}

/**
 * Records a signed permission; anyone may send it.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `permissions`, the contract's address; `permission`, as it was signed;
 * `signature`, its grantor's
 * @returns the mined transaction, and the permission's identifier
 */
export async function addPortabilityPermission(
  client: Client,
  args: WriteOptions & {
    readonly permissions: Address
    readonly permission: PortabilityPermission
    readonly signature: Hex
  },
): Promise<Sent & { readonly permissionId: bigint }> {
  const { permissions: address, permission, signature } = args
  const sent = await write(
    client,
    {
      address,
      abi: dataPortabilityPermissionsAbi,
      functionName: 'addPermission',
      args: [permission, signature],
    },
    args,
  )
  const [event] = parseEventLogs({
    abi: dataPortabilityPermissionsAbi,
    eventName: 'PermissionAdded',
    logs: logsOf(sent, address),
  })
  if (event === undefined)
    throw new ContractsError(
      'NOT_FOUND',
      'vana.addPortabilityPermission',
      'the receipt holds no PermissionAdded event',
    )
  return { ...sent, permissionId: event.args.permissionId }
}

/**
 * Revokes a permission. Only its grantor.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `permissions`, the contract's address; `permissionId`
 * @returns the mined transaction: its hash and receipt
 */
export function revokePortabilityPermission(
  client: Client,
  args: WriteOptions & { readonly permissions: Address; readonly permissionId: bigint },
): Promise<Sent> {
  return write(
    client,
    {
      address: args.permissions,
      abi: dataPortabilityPermissionsAbi,
      functionName: 'revokePermission',
      args: [args.permissionId],
    },
    args,
  )
}

/**
 * Reads a recorded permission.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `permissions`, the contract's address; `permissionId`
 * @returns what the contract holds under this identifier, as it stands there
 */
export function getPortabilityPermission(
  client: Client,
  args: { readonly permissions: Address; readonly permissionId: bigint },
): Promise<RecordedPermission> {
  return view(client, {
    address: args.permissions,
    abi: dataPortabilityPermissionsAbi,
    functionName: 'permissions',
    args: [args.permissionId],
  })
}

/**
 * Registers who can be granted permissions.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `grantees`, the contract's address; `owner`, recorded as the entry's owner;
 * `grantee`, the account that is granted; `publicKey`, its key as text
 * @returns the mined transaction, and the grantee's identifier
 */
export async function registerGrantee(
  client: Client,
  args: WriteOptions & {
    readonly grantees: Address
    readonly owner: Address
    readonly grantee: Address
    readonly publicKey: string
  },
): Promise<Sent & { readonly granteeId: bigint }> {
  const { grantees: address, owner, grantee, publicKey } = args
  const sent = await write(
    client,
    {
      address,
      abi: dataPortabilityGranteesAbi,
      functionName: 'registerGrantee',
      args: [owner, grantee, publicKey],
    },
    args,
  )
  const [event] = parseEventLogs({
    abi: dataPortabilityGranteesAbi,
    eventName: 'GranteeRegistered',
    logs: logsOf(sent, address),
  })
  if (event === undefined)
    throw new ContractsError(
      'NOT_FOUND',
      'vana.registerGrantee',
      'the receipt holds no GranteeRegistered event',
    )
  return { ...sent, granteeId: event.args.granteeId }
}
