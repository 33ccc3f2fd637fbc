/**
 * One job over the pools of two homes, on a chain of which only jobs are seen: what tests of both sides of shares share. This process
 * is the node of `job-fixture.ts`, whose pool is `pay`; the other home has the pool `more`.
 * @module
 */
import { type Address, deriveKeyPair, digestOf, type JsonValue } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import type { ChainPool } from '../chain/chain-port.js'
import { keyScope, type ServedPool } from '../ingest/served-pool.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { findJob } from '../state/job-table.js'
import type { StateStore } from '../state/state-store.js'
import { consumer, jobFixture, keys, manifest, pool } from './job-fixture.js'
import { addressOfDigit, digestOfDigit } from './served-pool-fixture.js'

export const otherKeys = openKeyRing(new Uint8Array(32).fill(8), digestOfDigit('9'))
export const signOther = nodeSigner({
  statementKey: otherKeys.statementKey,
  chainId: 31_337,
  registry: addressOfDigit('f'),
})
/** Nobody's. */
export const strangeKeys = deriveKeyPair(new Uint8Array(32).fill(6))

function sharedPool(name: string, other: string, address: Address): ServedPool {
  const policy = {
    ...(JSON.parse(JSON.stringify(pool.policy)) as object),
    name,
    joins: { allowed: true, with: [other] },
  } as JsonValue
  return { ...pool, name, address, policy: parsePoolPolicy(policy), policyDigest: digestOf(policy) }
}

/** The pool of this node. */
export const ownPool = sharedPool('pay', 'more', pool.address)
/** The pool of the other home. */
export const otherPool = sharedPool('more', 'pay', addressOfDigit('b'))

/** A query over both pools, group by group. @param order of the pools: the home of the first one coordinates */
export function sharedManifest(order: readonly ServedPool[], change: object = {}): JsonValue {
  return manifest({
    pools: order.map(({ address, name }) => ({ address, name })),
    query: {
      sql: `SELECT sector, count(*) AS n FROM (SELECT sector FROM pay.workers UNION ALL SELECT sector FROM more.workers) AS u
        GROUP BY sector`,
    },
    ...change,
  })
}

/** The other home, as it is attested. */
export const otherPeer: AttestedPeer = {
  url: 'https://other.example',
  statementAddress: otherKeys.statementAddress,
  keySet: otherKeys.keySet,
  keySetDigest: otherKeys.keySetDigest,
  measurement: `0x${'8'.repeat(64)}`,
  simulated: true,
}

/** @param order of the job's pools */
export function shareFixture(store: StateStore, order: readonly ServedPool[]) {
  const world = jobFixture(store)
  const state = {
    /** What the chain shows of the pools, when that is not what it should. */
    shown: {} as Record<string, Partial<ChainPool>>,
  }
  return {
    world,
    state,
    async reset(): Promise<void> {
      await world.reset()
      await store.run('truncate meta')
      state.shown = {}
      Object.assign(world.chain, {
        pool: async (address: Address) => {
          const own = address === ownPool.address
          const served = own ? ownPool : otherPool
          const ring = own ? keys : otherKeys
          const { restrictions, pausedUntil } = world.chain
          return {
            policyDigest: served.policyDigest,
            keyEpoch: {
              epoch: 1,
              node: ring.statementAddress,
              keyDigest: ring.poolKey(keyScope(served, 1)).keyId,
            },
            restrictions,
            pausedUntil,
            ...state.shown[address],
          }
        },
        jobTerms: async (id: string) => {
          const job = await findJob(store, id)
          return { manifestDigest: job?.manifestDigest, consumer, pools: job?.pools }
        },
      })
    },
    paid: (change: object = {}, id = '1', more: object = {}) =>
      world.paid(sharedManifest(order, change), { pools: order.map(({ address }) => address), ...more }, id),
  }
}
