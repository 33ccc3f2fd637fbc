import { type ReceiptBody, receiptBodySchema } from '@sealpool/attest'
import { type Deployment, nodeRegistryAbi, poolAbi } from '@sealpool/contracts'
import {
  type Address,
  CryptoError,
  type Digest,
  type Hex,
  hexToDigest,
  type JsonObject,
  type JsonValue,
  parseSignedStatement,
} from '@sealpool/crypto'
import { type Client, isAddress } from 'viem'
import { readContract } from 'viem/actions'
import { ClientError } from '../errors.js'

/** What the chain shows of the homes and the pools that a receipt names. Addresses are in lower case. */
export interface JobHomes {
  /** By statement key. */
  readonly nodes: ReadonlyMap<
    Address,
    {
      readonly keySet: Digest
      readonly measurement: Hex
      readonly revoked: boolean
      /** Whether the registry allows its measurement now. */
      readonly allowed: boolean
    }
  >
  readonly pools: ReadonlyMap<
    Address,
    {
      /** What the pool demands its nodes to run; zero: whatever the registry allows. */
      readonly measurement: Hex
      /** Its newest key epoch, and the node whose key that is. */
      readonly epoch: number
      readonly node: Address
    }
  >
}

/**
 * Reads what the chain shows of the homes of a job, where its receipt is over several pools.
 *
 * @param chain - a viem client; whoever answers its requests is trusted
 * @param options - whose contracts, and the receipt with the job's manifest, as JSON of unknown origin: the receipt of a refused job does not
 *   have the pools of a home that gave no share, the manifest has
 * @returns the facts at the newest block; undefined for a receipt over one pool, and for what is no receipt
 * @throws ClientError `CHAIN_READ_FAILED`
 */
export async function readJobHomes(
  chain: Client,
  {
    deployment,
    receipt,
    manifest = null,
  }: {
    readonly deployment: Deployment
    readonly receipt: JsonObject
    readonly manifest?: JsonObject | null
  },
): Promise<JobHomes | undefined> {
  const body = bodyOf(receipt)
  if (body === undefined || !isOverSeveralPools(body)) return undefined
  const { homes = [], refusedBy, pools } = body
  const nodes = [...homes, ...(refusedBy === undefined ? [] : [refusedBy])].map(({ node }) => lower(node))
  const registry = { address: deployment.nodeRegistry, abi: nodeRegistryAbi } as const
  try {
    return {
      nodes: new Map(
        await Promise.all(
          [...new Set(nodes)].map(async (node) => {
            const record = await readContract(chain, { ...registry, functionName: 'getNode', args: [node] })
            const { measurement, revoked } = record
            const args = [measurement] as const
            const allowed = await readContract(chain, {
              ...registry,
              functionName: 'measurementAllowed',
              args,
            })
            return [
              node,
              { keySet: hexToDigest(record.keySetDigest), measurement, revoked, allowed },
            ] as const
          }),
        ),
      ),
      pools: new Map(
        await Promise.all(
          [...new Set([...pools.map(({ pool }) => lower(pool)), ...poolsOf(manifest)])].map(async (pool) => {
            const contract = { address: pool, abi: poolAbi } as const
            const [{ measurement }, { epoch, node }] = await Promise.all([
              readContract(chain, { ...contract, functionName: 'rules' }),
              readContract(chain, { ...contract, functionName: 'keyEpoch' }),
            ])
            return [pool, { measurement, epoch, node: lower(node) }] as const
          }),
        ),
      ),
    }
  } catch (cause) {
    const why = 'the chain does not tell of the homes of the job; check RPC address and deployment'
    throw new ClientError('CHAIN_READ_FAILED', 'chain', why, { cause })
  }
}

/** Whether the pools of a job may have several homes, as far as its receipt tells. */
export function isOverSeveralPools({ pools, homes = [], unanswered = [], refusedBy }: ReceiptBody): boolean {
  return pools.length > 1 || homes.length > 0 || unanswered.length > 0 || refusedBy !== undefined
}

/** The pools of a manifest, as many as a receipt may have; whether it is the job's manifest is verified elsewhere. */
function poolsOf(manifest: JsonObject | null): readonly Address[] {
  const pools = manifest?.['pools']
  if (!Array.isArray(pools)) return []
  return pools.slice(0, 100).flatMap((pool: JsonValue): readonly Address[] => {
    const address = (pool as JsonObject | null)?.['address']
    return typeof address === 'string' && isAddress(address, { strict: false }) ? [lower(address)] : []
  })
}

function bodyOf(receipt: JsonObject) {
  try {
    const read = receiptBodySchema.safeParse(parseSignedStatement(receipt).statement.body)
    return read.success ? read.data : undefined
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}

/** An address as the checks compare it. */
export function lower(address: Address): Address {
  return address.toLowerCase() as Address
}
