import type { Deployment } from '@sealpool/contracts'
import type { Address, Hex, JsonObject } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { readAs, type ServedPoolAnswer, servedPoolsSchema } from '../node-api/messages.js'
import { address, answerSchema, jsonObject, record, text, whole } from '../node-api/shape.js'
import type { KeyedPoolAnswer } from '../verify/verified-pool.js'

/** What a node answered when it was verified, with what the answer was over. */
export interface KeptBundle {
  readonly chainId: number
  readonly nodeRegistry: Address
  readonly pool: Address
  /** When it was verified, ISO. */
  readonly at: string
  readonly nonce: Hex
  readonly served: KeyedPoolAnswer
  readonly evidence: JsonObject
}

/** Evidence with its collateral has some tens of kilobytes. */
const mostCharacters = 2_000_000

const bundleSchema = () =>
  answerSchema(
    record({
      format: text(/^sealpool\/kept-evidence$/, 'kept evidence'),
      version: whole(1),
      chainId: whole(1),
      nodeRegistry: address,
      pool: address,
      at: text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'a moment'),
      nonce: text<Hex>(/^0x[0-9a-f]{64}$/, '32 bytes'),
      served: jsonObject,
      evidence: jsonObject,
    }),
  )

/** Writes a bundle as JSON. */
export function formatKeptBundle(bundle: KeptBundle): string {
  return JSON.stringify({ format: 'sealpool/kept-evidence', version: 1, ...bundle })
}

/**
 * Reads a bundle. Nothing of it is believed: it is verified again.
 *
 * @param kept what {@link formatKeptBundle} wrote, or anything else
 * @throws ClientError `KEPT_INVALID`
 */
export function parseKeptBundle(kept: string): KeptBundle {
  if (kept.length > mostCharacters) throw invalid('it is too long')
  let json: unknown
  try {
    json = JSON.parse(kept)
  } catch {
    throw invalid('it is not JSON')
  }
  const read = readAs(bundleSchema(), json)
  if (!read.ok) throw invalid(`another shape at ${read.place}`)
  const { format: _format, version, served: answer, ...bundle } = read.answer
  if (version !== 1) throw invalid(`version ${version} is not known`)
  if (Number.isNaN(Date.parse(bundle.at))) throw invalid('another shape at at')
  const served = readAs(servedPoolsSchema, { simulated: false, pools: [answer] })
  const [own] = served.ok ? served.answer.pools : []
  const keyed = own === undefined ? undefined : keyedAnswer(own)
  if (keyed === undefined) throw invalid('another shape at served')
  return { ...bundle, served: keyed }
}

/** @returns the answer where the node's key stands on chain */
export function keyedAnswer(own: ServedPoolAnswer): KeyedPoolAnswer | undefined {
  const { epoch, poolKey, statement } = own
  return epoch === null || poolKey === null || statement === null
    ? undefined
    : { ...own, epoch, poolKey, statement }
}

/** @throws ClientError `KEPT_INVALID` for a bundle of another pool or chain */
export function requireKeptFor(
  bundle: KeptBundle,
  {
    deployment,
    pool,
  }: { readonly deployment: Pick<Deployment, 'chainId' | 'nodeRegistry'>; readonly pool: Address },
): void {
  const same =
    bundle.chainId === deployment.chainId &&
    bundle.nodeRegistry.toLowerCase() === deployment.nodeRegistry.toLowerCase() &&
    bundle.pool.toLowerCase() === pool.toLowerCase()
  if (!same) throw invalid('it is of another pool, registry or chain')
}

function invalid(why: string): ClientError {
  return new ClientError(
    'KEPT_INVALID',
    'kept',
    `the kept evidence cannot be used (${why}); keep it anew while the node answers`,
  )
}
