import type { Deployment } from '@sealpool/contracts'
import { type Address, encodeHex, type JsonObject, platformRandom, type Random } from '@sealpool/crypto'
import type { Client } from 'viem'
import { ClientError } from '../errors.js'
import type { NodeApi } from '../node-api/node-api.js'
import { readChainFacts } from '../verify/chain-facts.js'
import type { MeasurementLog } from '../verify/measurement-log.js'
import { type Readiness, verifyPool } from '../verify/verified-pool.js'
import { formatKeptBundle, keyedAnswer } from './kept-bundle.js'

/** What keeping evidence takes. */
export interface KeepEvidenceOptions {
  /** The node that is asked: `client.node`. */
  readonly node: Pick<NodeApi, 'pools' | 'evidence'>
  /** A viem client on the pool's chain. */
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
  /** The pool's policy as the contributor read it. */
  readonly policy: JsonObject
  /** A public log in which the node's code must stand. */
  readonly log?: MeasurementLog
  readonly random?: Random
  readonly now?: () => Date
}

/** What there is to keep. */
export interface KeptEvidence {
  readonly readiness: Readiness
  /** The text; undefined without a yes. */
  readonly kept: string | undefined
}

/** As `keepEvidence` of the entry, over a given clock. */
export async function keepWith(
  options: KeepEvidenceOptions & Required<Pick<KeepEvidenceOptions, 'now'>>,
): Promise<KeptEvidence> {
  const { node, chain, deployment, pool, policy, random = platformRandom, now } = options
  const at = now()
  const nonce = encodeHex(random(32))
  const [pools, evidence, facts] = await Promise.all([
    node.pools(),
    node.evidence(nonce),
    readChainFacts(chain, { deployment, pool }),
  ])
  const logged = await options.log?.(facts.node.measurement, at)
  const own = pools.find((candidate) => candidate.pool.toLowerCase() === pool.toLowerCase())
  const served = own === undefined ? undefined : keyedAnswer(own)
  if (served === undefined)
    throw new ClientError('POOL_NOT_SERVED', 'GET /pools', 'the node does not serve this pool, or not yet')
  const { chainId, nodeRegistry } = deployment
  const readiness = verifyPool({
    ...{ policy, pool, chainId, nodeRegistry, served, evidence, nonce, chain: facts, at },
    ...(logged === undefined ? {} : { logged }),
  })
  if (readiness.pool === undefined) return { readiness, kept: undefined }
  const bundle = { chainId, nodeRegistry, pool, at: at.toISOString(), nonce, served, evidence }
  return { readiness, kept: formatKeptBundle(bundle) }
}
