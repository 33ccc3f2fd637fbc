import { type ReceiptBody, receiptBodySchema } from '@sealpool/attest'
import { type Deployment, nodeRegistryAbi } from '@sealpool/contracts'
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
import { getBlock, readContract } from 'viem/actions'
import { ClientError } from '../errors.js'
import { factoryQuestionAbi, poolQuestionsAbi } from '../verify/cut-abis.js'
import { isStateGone } from './state-is-gone.js'

/** What the chain shows of the homes and the pools that a receipt names. Addresses are in lower case. */
export interface JobHomes {
  /** Block whose state tells it. */
  readonly block: bigint
  /** By statement key. */
  readonly nodes: ReadonlyMap<
    Address,
    {
      readonly keySet: Digest
      readonly measurement: Hex
      readonly revoked: boolean
      /** Whether its registration had run out when the job ended: nobody vouched for what it ran any more. */
      readonly expired: boolean
      /** Whether the registry allowed its measurement. */
      readonly allowed: boolean
    }
  >
  /** Of those that the deployment's factory founded. */
  readonly pools: ReadonlyMap<
    Address,
    {
      /** What the pool demands its nodes to run; zero: whatever the registry allows. */
      readonly measurement: Hex
      /** Its newest key epoch at that block, and the node whose key that is. */
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
 * @param options.at block at which the chain is asked: that of the job's end, since keys and homes change later. Where the endpoint says that
 *   it does not keep that state any more, and when it is absent, the newest block; the facts say which one it was
 * @returns the facts; undefined for a receipt over one pool, and for what is no receipt
 * @throws ClientError `CHAIN_READ_FAILED`
 */
export async function readJobHomes(
  chain: Client,
  {
    deployment,
    receipt,
    manifest = null,
    at,
  }: {
    readonly deployment: Deployment
    readonly receipt: JsonObject
    readonly manifest?: JsonObject | null
    readonly at?: bigint | undefined
  },
): Promise<JobHomes | undefined> {
  const body = bodyOf(receipt)
  if (body === undefined || !isOverSeveralPools(body)) return undefined
  const { homes = [], refusedBy, pools } = body
  const nodes = [...homes, ...(refusedBy === undefined ? [] : [refusedBy])].map(({ node }) => lower(node))
  const asked = {
    registry: deployment.nodeRegistry,
    factory: deployment.poolFactory,
    nodes: [...new Set(nodes)],
    pools: [...new Set([...pools.map(({ pool }) => lower(pool)), ...poolsOf(manifest)])],
  }
  try {
    const ended = await getBlock(chain, at === undefined ? {} : { blockNumber: at })
    // Blocks are kept also where their state is not; in a newer state a registration only reaches further.
    const { timestamp: endedAt, number: blockNumber } = ended
    try {
      return await factsAt(chain, { ...asked, endedAt, blockNumber })
    } catch (error) {
      if (at === undefined || !isStateGone(error)) throw error
      return await factsAt(chain, { ...asked, endedAt, blockNumber: (await getBlock(chain)).number })
    }
  } catch (cause) {
    const why = 'the chain does not tell of the homes of the job; check RPC address and deployment'
    throw new ClientError('CHAIN_READ_FAILED', 'chain', why, { cause })
  }
}

async function factsAt(
  chain: Client,
  asked: {
    readonly registry: Address
    readonly factory: Address
    readonly nodes: readonly Address[]
    readonly pools: readonly Address[]
    /** Unix seconds. */
    readonly endedAt: bigint
    readonly blockNumber: bigint
  },
): Promise<JobHomes> {
  const { blockNumber } = asked
  const registry = { address: asked.registry, abi: nodeRegistryAbi, blockNumber } as const
  const factory = { address: asked.factory, abi: factoryQuestionAbi, blockNumber } as const
  return {
    block: blockNumber,
    nodes: new Map(
      await Promise.all(
        asked.nodes.map(async (node) => {
          const record = await readContract(chain, { ...registry, functionName: 'getNode', args: [node] })
          const { measurement, revoked } = record
          const expired = record.expiresAt <= asked.endedAt
          const args = [measurement] as const
          const allowed = await readContract(chain, {
            ...registry,
            functionName: 'measurementAllowed',
            args,
          })
          const keySet = hexToDigest(record.keySetDigest)
          return [node, { keySet, measurement, revoked, expired, allowed }] as const
        }),
      ),
    ),
    pools: new Map(
      (
        await Promise.all(
          asked.pools.map(async (pool) => {
            // Who signs a receipt may name anything as a pool: what the factory did not found is not even called, for it could answer
            // what it likes, and a viem client fetches the addresses that a contract refers it to (ERC-3668).
            const founded = await readContract(chain, { ...factory, functionName: 'indexOf', args: [pool] })
            if (founded === 0) return []
            const contract = { address: pool, abi: poolQuestionsAbi, blockNumber } as const
            const [{ measurement }, { epoch, node }] = await Promise.all([
              readContract(chain, { ...contract, functionName: 'rules' }),
              readContract(chain, { ...contract, functionName: 'keyEpoch' }),
            ])
            return [[pool, { measurement, epoch, node: lower(node) }] as const]
          }),
        )
      ).flat(),
    ),
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
