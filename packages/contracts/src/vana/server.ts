import type { Address, Client } from 'viem'
import type { Sent, WriteOptions } from '../action/transaction.js'
import { dataPortabilityServersAbi } from './abi.js'
import { view, write } from './contract-call.js'

/** A server that users may trust with their data. */
export interface PortabilityServer {
  readonly id: bigint
  readonly owner: Address
  readonly address: Address
  /** As its owner wrote it. */
  readonly publicKey: string
  readonly url: string
}

/** A server that a user trusts, or trusted. */
export interface TrustedServer extends PortabilityServer {
  readonly startBlock: bigint
  /** The last block in which it was trusted; 2^256 - 1: it still is. */
  readonly endBlock: bigint
}

const abi = dataPortabilityServersAbi

/**
 * Reads a server by its identifier.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `servers`, the contract's address; `serverId`
 * @returns the server, or null when there is none
 */
export async function getPortabilityServer(
  client: Client,
  args: { readonly servers: Address; readonly serverId: bigint },
): Promise<PortabilityServer | null> {
  const { serverAddress: address, ...server } = await view(client, {
    address: args.servers,
    abi,
    functionName: 'servers',
    args: [args.serverId],
  })
  return server.url === '' ? null : { ...server, address }
}

/**
 * Reads the servers that a user trusts, or trusted.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `servers`, the contract's address; `user`, the account
 * @returns one for each server, with the blocks of the trust; empty when there is none
 */
export async function getTrustedServers(
  client: Client,
  args: { readonly servers: Address; readonly user: Address },
): Promise<readonly TrustedServer[]> {
  const trusted = await view(client, {
    address: args.servers,
    abi,
    functionName: 'userServerValues',
    args: [args.user],
  })
  return trusted.map(({ serverAddress: address, ...server }) => ({ ...server, address }))
}

/**
 * Says on chain that the sender trusts a server.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `servers`, the contract's address; `serverId`
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `ServerNotFound`.
 */
export function trustServer(
  client: Client,
  args: WriteOptions & { readonly servers: Address; readonly serverId: bigint },
): Promise<Sent> {
  const call = { address: args.servers, abi, functionName: 'trustServer', args: [args.serverId] } as const
  return write(client, call, args)
}

/**
 * Says on chain that the sender trusts a server no more.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `servers`, the contract's address; `serverId`
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `ServerNotTrusted`.
 */
export function untrustServer(
  client: Client,
  args: WriteOptions & { readonly servers: Address; readonly serverId: bigint },
): Promise<Sent> {
  const call = { address: args.servers, abi, functionName: 'untrustServer', args: [args.serverId] } as const
  return write(client, call, args)
}
