import type { Address, Client, Hex } from 'viem'
import { readContract } from 'viem/actions'
import { nodeRegistryAbi } from '../abi/NodeRegistry.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import { type NodeRegistration, orderApprovals } from '../statement/node-approval.js'
import { encodeCall } from './encode-call.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

/** A node as the registry knows it. */
export interface NodeRecord {
  readonly statementKey: Address
  readonly keySetDigest: Hex
  readonly quoteDigest: Hex
  readonly measurement: Hex
  /** Unix seconds. */
  readonly expiresAt: bigint
  readonly revoked: boolean
  /** The block that its last quote names; 0 when it registered by verifiers only. */
  readonly quotedBlock: bigint
  /** Whether its statements count now. */
  readonly active: boolean
}

/**
 * Allows or disallows a measurement. Only the registry's owner.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `measurement`, 32 bytes; `allowed`, `false` to take it off the
 * list
 * @returns the mined transaction: its hash and receipt; what it allows counts after the registry's objection window
 * @throws {ContractsError} `REVERTED`: `OwnableUnauthorizedAccount`.
 */
export function setMeasurement(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly measurement: Hex
    readonly allowed: boolean
  },
): Promise<Sent> {
  const data = encodeCall({
    abi: nodeRegistryAbi,
    functionName: 'setMeasurement',
    args: [args.measurement, args.allowed],
  })
  return send(client, 'NodeRegistry.setMeasurement', { to: args.deployment.nodeRegistry, data }, args)
}

/**
 * Replaces the verifiers, of whom `threshold` must approve a node. Only the registry's owner.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `verifiers`, 1 to 32 addresses in any order; `threshold`, 1 to
 * as many
 * @returns the mined transaction: its hash and receipt; with an objection window and verifiers already set, the first one
 * only schedules: send the same again after it
 * @throws {ContractsError} `REVERTED`: `OwnableUnauthorizedAccount`, `VerifierSetInvalid`, `VerifiersNotAscending`.
 */
export function setVerifiers(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly verifiers: readonly Address[]
    readonly threshold: number
  },
): Promise<Sent> {
  const ascending = [...args.verifiers].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
  const data = encodeCall({
    abi: nodeRegistryAbi,
    functionName: 'setVerifiers',
    args: [ascending, BigInt(args.threshold)],
  })
  return send(client, 'NodeRegistry.setVerifiers', { to: args.deployment.nodeRegistry, data }, args)
}

/**
 * Registers or renews a node with its verifiers' approvals, in any order.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `registration`, what the verifiers confirm; `signatures`,
 * theirs (`signNodeApproval`)
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `MeasurementNotAllowed`, `NotEnoughVerifiers`, `VerifierUnknown`,
 * `RegistrationExpiryInvalid`, `NodeKeyRevoked`; `ARGUMENT_INVALID` for a malformed signature.
 */
export async function registerNode(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly registration: NodeRegistration
    readonly signatures: readonly Hex[]
  },
): Promise<Sent> {
  const place = 'NodeRegistry.register'
  let ordered: Hex[]
  try {
    ordered = await orderApprovals(args)
  } catch (cause) {
    throw new ContractsError(
      'ARGUMENT_INVALID',
      place,
      'a verifier signature is malformed (65 bytes r || s || v)',
      {
        cause,
      },
    )
  }
  const data = encodeCall({
    abi: nodeRegistryAbi,
    functionName: 'register',
    args: [args.registration, ordered],
  })
  return send(client, place, { to: args.deployment.nodeRegistry, data }, args)
}

/**
 * Revokes a node's key for ever. Only the registry's owner or the key itself.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `statementKey`, address of the node's key
 * @returns the mined transaction: its hash and receipt
 */
export function revokeNode(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment; readonly statementKey: Address },
): Promise<Sent> {
  const data = encodeCall({ abi: nodeRegistryAbi, functionName: 'revoke', args: [args.statementKey] })
  return send(client, 'NodeRegistry.revoke', { to: args.deployment.nodeRegistry, data }, args)
}

/**
 * Whether statements signed by this key count now.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `statementKey`, address of the node's key
 * @returns `false` also for a key that never registered, one that expired or was revoked, and one whose measurement is no
 * longer allowed
 */
export function isNodeActive(
  client: Client,
  args: { readonly deployment: Deployment; readonly statementKey: Address },
): Promise<boolean> {
  return reading('NodeRegistry.isActive', () =>
    readContract(client, {
      address: args.deployment.nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: 'isActive',
      args: [args.statementKey],
    }),
  )
}

/**
 * Reads a node's record.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `statementKey`, address of the node's key
 * @returns what was registered last, and whether it counts now
 * @throws {ContractsError} `NOT_FOUND` when the key never registered.
 */
export async function getNode(
  client: Client,
  args: { readonly deployment: Deployment; readonly statementKey: Address },
): Promise<NodeRecord> {
  return reading('getNode', async () => {
    const [record, active] = await Promise.all([
      readContract(client, {
        address: args.deployment.nodeRegistry,
        abi: nodeRegistryAbi,
        functionName: 'getNode',
        args: [args.statementKey],
      }),
      isNodeActive(client, args),
    ])
    if (record.expiresAt === 0n) {
      throw new ContractsError('NOT_FOUND', 'getNode', `${args.statementKey} never registered`)
    }
    return { statementKey: args.statementKey, ...record, active }
  })
}
