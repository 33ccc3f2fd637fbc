import type { ResultView } from '@sealpool/attest'
import { type Address, encodeBase64Url, type JsonObject, type Random } from '@sealpool/crypto'
import { ClientError } from '../errors.js'

/** Who gets which view of a result. */
export interface ViewsRequest {
  /** Of whoever asks and pays. */
  readonly consumer: ResultView
  readonly others: readonly {
    readonly address: Address
    readonly view: ResultView
    /** X25519, 32 bytes: the view is sealed to it; absent for `receipt`, which is sealed to nobody. */
    readonly resultPublicKey?: Uint8Array
  }[]
}

/** What every job says of itself. */
export interface JobRequest {
  /** One line for those who vote, 1 to 200 characters. */
  readonly title: string
  /** What the result is for, as the pools' policies name purposes. */
  readonly purpose: string
  /** The pools with the names that the job uses for them; default: this client's pool under its policy's name. */
  readonly pools?: readonly { readonly address: Address; readonly name: string }[]
  /** Privacy budget that the job may cost in each pool; `delta` default 0. */
  readonly privacy: { readonly epsilon: number; readonly delta?: number }
  /** X25519, 32 bytes: the result is sealed to it and to nobody else. Keep the private key, `result` needs it. */
  readonly resultPublicKey: Uint8Array
  /** Who gets which view of the result. Default: the consumer all of it, and nobody else any. */
  readonly views?: ViewsRequest
}

/** One SQL statement over pools. */
export interface QueryRequest extends JobRequest {
  /** Tables are `<pool name>.<table>`. */
  readonly sql: string
}

/** One approved computation over pools. */
export interface ComputeRequest extends JobRequest {
  /** Name of a built-in computation. */
  readonly computation: string
  readonly parameters: JsonObject
}

/**
 * Writes a job's manifest: what pools vote on, what the node runs, what the receipt names. The node reads it strictly; here
 * only slips are caught.
 *
 * @param request - the job
 * @param options - what the request leaves open
 * @param options.consumer who pays and may open the result
 * @param options.pools default pools
 * @param options.random for the salt, which makes the digest unguessable and tells equal requests apart
 * @returns the manifest, plain JSON
 * @throws ClientError `OPTION_INVALID`
 */
export function jobManifest(
  request: QueryRequest | ComputeRequest,
  options: {
    readonly consumer: Address
    readonly pools: NonNullable<JobRequest['pools']>
    readonly random: Random
  },
): JsonObject {
  const { title, purpose, privacy, resultPublicKey } = request
  const pools = request.pools ?? options.pools
  const { epsilon, delta = 0 } = privacy
  demand(/^\P{Cc}{1,200}$/u.test(title), 'title', 'a title of 1 to 200 characters in one line')
  demand(purpose.length > 0, 'purpose', 'a purpose')
  demand(pools.length > 0, 'pools', 'at least one pool')
  demand(
    pools.every(({ name }) => /^[a-z][a-z0-9_]{0,62}$/.test(name)),
    'pools',
    'names in lower-case ASCII',
  )
  demand(epsilon > 0 && epsilon <= 100, 'privacy.epsilon', 'a number above 0, 100 at most')
  demand(delta >= 0 && delta <= 0.001, 'privacy.delta', 'a number from 0 up, 0.001 at most')
  demand(resultPublicKey.length === 32, 'resultPublicKey', 'an X25519 key of 32 bytes')
  const { views } = request
  demand(
    views?.others.every(
      ({ view, resultPublicKey: key }) =>
        (key === undefined) === (view.kind === 'receipt') && (key === undefined || key.length === 32),
    ) ?? true,
    'views.others',
    'an X25519 key of 32 bytes for everybody who gets more than the receipt',
  )
  const isQuery = 'sql' in request
  demand(
    isQuery ? request.sql.trim() !== '' : request.computation !== '',
    isQuery ? 'sql' : 'computation',
    'some text',
  )
  return {
    format: 'sealpool/job-manifest',
    version: 1,
    kind: isQuery ? 'query' : 'compute',
    title,
    pools: pools.map(({ address, name }) => ({ address: address.toLowerCase(), name })),
    query: isQuery ? { sql: request.sql } : null,
    compute: isQuery ? null : { computation: request.computation, parameters: request.parameters },
    privacy: { epsilon, delta },
    consumer: {
      address: options.consumer.toLowerCase(),
      resultKey: resultKeyOf(resultPublicKey),
    },
    ...(views === undefined ? {} : { views: viewsOf(views) }),
    purpose,
    salt: encodeBase64Url(options.random(16)),
  }
}

function resultKeyOf(publicKey: Uint8Array): JsonObject {
  return { kem: 'x25519', publicKey: encodeBase64Url(publicKey) }
}

function viewsOf({ consumer, others }: ViewsRequest): JsonObject {
  return {
    consumer,
    others: others.map(({ address, view, resultPublicKey }) => ({
      address: address.toLowerCase(),
      resultKey: resultPublicKey === undefined ? null : resultKeyOf(resultPublicKey),
      view,
    })),
  }
}

function demand(holds: boolean, place: string, what: string): void {
  if (!holds) throw new ClientError('OPTION_INVALID', place, `expected ${what}`)
}
