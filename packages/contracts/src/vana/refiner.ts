import { type Address, type Client, parseEventLogs } from 'viem'
import { logsOf, type Sent, type WriteOptions } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import { dataRefinerRegistryAbi } from './abi.js'
import { view, write } from './contract-call.js'

/** A schema of refined data. */
export interface VanaSchema {
  readonly name: string
  /** Its dialect, for example `sqlite`. */
  readonly dialect: string
  readonly definitionUrl: string
}

/** A program that turns raw files into tables of a schema. Its image is named by address, not by digest. */
export interface VanaRefiner {
  readonly dlpId: bigint
  readonly owner: Address
  readonly name: string
  readonly schemaDefinitionUrl: string
  readonly refinementInstructionUrl: string
}

/**
 * Registers a schema; anyone may.
 *
 * @param client - a viem client with an account, on Vana's chain
 * @param args - besides {@link WriteOptions}: `refinerRegistry`, the contract's address; `name`, `dialect` and
 * `definitionUrl` of the schema
 * @returns the mined transaction, and the schema's identifier
 */
export async function addSchema(
  client: Client,
  args: WriteOptions & VanaSchema & { readonly refinerRegistry: Address },
): Promise<Sent & { readonly schemaId: bigint }> {
  const { refinerRegistry: address, name, dialect, definitionUrl } = args
  const sent = await write(
    client,
    { address, abi: dataRefinerRegistryAbi, functionName: 'addSchema', args: [name, dialect, definitionUrl] },
    args,
  )
  const [event] = parseEventLogs({
    abi: dataRefinerRegistryAbi,
    eventName: 'SchemaAdded',
    logs: logsOf(sent, address),
  })
  if (event === undefined)
    throw new ContractsError('NOT_FOUND', 'vana.addSchema', 'the receipt holds no SchemaAdded event')
  return { ...sent, schemaId: event.args.schemaId }
}

/**
 * Reads a schema; `null` when there is none.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `refinerRegistry`, the contract's address; `schemaId`
 * @returns name, dialect and address of the definition, or `null`
 */
export async function getSchema(
  client: Client,
  args: { readonly refinerRegistry: Address; readonly schemaId: bigint },
): Promise<VanaSchema | null> {
  const { name, typ, definitionUrl } = await view(client, {
    address: args.refinerRegistry,
    abi: dataRefinerRegistryAbi,
    functionName: 'schemas',
    args: [args.schemaId],
  })
  return definitionUrl === '' ? null : { name, dialect: typ, definitionUrl }
}

/**
 * Reads a refiner; `null` when there is none.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `refinerRegistry`, the contract's address; `refinerId`
 * @returns pool, owner, name and addresses of the refiner, or `null`
 */
export async function getRefiner(
  client: Client,
  args: { readonly refinerRegistry: Address; readonly refinerId: bigint },
): Promise<VanaRefiner | null> {
  const refiner = await view(client, {
    address: args.refinerRegistry,
    abi: dataRefinerRegistryAbi,
    functionName: 'refiners',
    args: [args.refinerId],
  })
  return refiner.refinementInstructionUrl === '' ? null : refiner
}

/**
 * Identifiers of a pool's refiners.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `refinerRegistry`, the contract's address; `dlpId`, the pool's identifier in Vana's registry
 * @returns the identifiers; empty when the pool has none
 */
export function getPoolRefiners(
  client: Client,
  args: { readonly refinerRegistry: Address; readonly dlpId: bigint },
): Promise<readonly bigint[]> {
  return view(client, {
    address: args.refinerRegistry,
    abi: dataRefinerRegistryAbi,
    functionName: 'dlpRefiners',
    args: [args.dlpId],
  })
}
