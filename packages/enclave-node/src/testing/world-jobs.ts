/**
 * What a consumer asks of a world's pools, and reads.
 * @module
 */
import { openResult } from '@sealpool/client'
import {
  decodeBase64Url,
  deriveKeyPair,
  encodeBase64Url,
  type JsonObject,
  type JsonValue,
  platformRandom,
  type SignedStatement,
} from '@sealpool/crypto'
import { ask } from './ask.js'
import type { PoolWorld, WorldPool } from './pool-world.js'

/** What a job shows of itself. */
export interface ShownJob {
  readonly state: string
  readonly reason: string | null
  readonly receipt: SignedStatement | null
}

/** A job's result as the node gives it. */
interface ShownResult {
  readonly sealed?: string
  readonly resultDigest?: string
}

/** @returns a manifest of the world's consumer: mean wages by sector, or what `change` says */
export const worldManifest = (
  world: PoolWorld,
  resultKey: Uint8Array,
  change: JsonObject & { readonly salt: string },
): JsonValue => ({
  format: 'sealpool/job-manifest',
  version: 1,
  kind: 'query',
  title: 'Test',
  pools: [{ address: world.pools.pay.pool, name: 'pay' }],
  query: { sql: 'SELECT sector, avg(wage) AS mean_wage FROM pay.workers GROUP BY sector' },
  compute: null,
  privacy: { epsilon: 2, delta: 0 },
  consumer: {
    address: world.consumer,
    resultKey: { kem: 'x25519', publicKey: encodeBase64Url(resultKey) },
  },
  purpose: 'research',
  ...change,
})

/** @returns a consumer with a key of its own */
export function worldJobs(world: PoolWorld) {
  const consumer = deriveKeyPair(platformRandom(32))
  let salt = 0
  return {
    /** A query over one pool; the same plan however often it is made. */
    manifest: (change: JsonObject = {}): JsonValue =>
      worldManifest(world, consumer.publicKey, { salt: `abcdefghijklmnop${salt++}`, ...change }),
    /** Proposes, has it approved and pays. */
    async paid(manifest: JsonValue, pools: readonly WorldPool[] = [world.pools.pay]): Promise<bigint> {
      const id = await world.propose(manifest, pools)
      await world.approve(id, pools)
      await world.pay(id)
      return id
    },
    job: async (url: string, id: bigint) => (await ask(`${url}/v1/jobs/${id}`)) as ShownJob,
    /** What the consumer reads; undefined when there is no answer. */
    async result(url: string, id: bigint) {
      const { sealed, resultDigest } = (await ask(`${url}/v1/jobs/${id}/result`)) as ShownResult
      if (sealed === undefined) return undefined
      const sealedResult = decodeBase64Url(sealed)
      const opened = await openResult({ sealed: sealedResult, privateKey: consumer.privateKey })
      return { sealedResult, result: opened.bytes, value: opened.value, digest: resultDigest }
    },
  }
}
