/**
 * The current key of each pool: derived here, published on the chain under the node's signature.
 * @module
 */
import { poolKeyContext } from '@sealpool/contracts'
import { type Address, digestToHex, encodeBase64Url, type SignedStatement } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import { keyScope, type ServedPool } from '../ingest/served-pool.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import type { NodeSigner } from '../key/node-signer.js'
import { claimStatement } from '../state/exclusive-statement.js'
import type { StateStore } from '../state/state-store.js'

/** A pool key that stands on the chain and belongs to this node. */
export interface PublishedPoolKey {
  readonly epoch: number
  /** base64url of the X25519 key. */
  readonly publicKey: string
  readonly keyId: string
  readonly statement: SignedStatement
  /** The node's word that it keeps no copies for the pool; null where it keeps them. */
  readonly live: SignedStatement | null
}

/** What a round of publishing found for one pool. */
export type PoolKeyState =
  | { readonly kind: 'published'; readonly key: PublishedPoolKey; readonly fresh: boolean }
  /** The chain's rules are not those of the settings any more. */
  | { readonly kind: 'policy-changed' }
  /** Another node's key is in force. */
  | { readonly kind: 'other-node' }

/**
 * Sees to it that a pool has a key of this node for its present policy.
 * @param firstEpoch the first epoch that was not given up: a key of an older one is followed by the next, whoever's it is
 * @param announce told of a new key before it is sent: whoever sees it on the chain can ask the node for it at once
 * @throws what the chain says when the node is not registered
 */
export async function ensurePoolKey(
  context: {
    readonly store: StateStore
    readonly chain: ChainPort
    readonly keys: NodeKeyRing
    readonly sign: NodeSigner
  },
  pool: ServedPool,
  firstEpoch: number,
  announce: (key: PublishedPoolKey) => void,
): Promise<PoolKeyState> {
  const onChain = await context.chain.pool(pool.address)
  if (onChain.policyDigest !== pool.policyDigest) return { kind: 'policy-changed' }
  const current = onChain.keyEpoch
  if (current !== null && current.policyDigest === pool.policyDigest && current.epoch >= firstEpoch) {
    const derived = context.keys.poolKey(keyScope(pool, current.epoch))
    if (derived.keyId !== current.keyDigest) return { kind: 'other-node' }
    return { kind: 'published', key: publishedKey(context, pool, current.epoch), fresh: false }
  }
  const epoch = (current?.epoch ?? 0) + 1
  const key = publishedKey(context, pool, epoch)
  await context.store.transaction((tx) => claimStatement(tx, key.statement))
  announce(key)
  await context.chain.publishPoolKey({
    pool: pool.address,
    epoch,
    policyDigest: pool.policyDigest,
    keyDigest: context.keys.poolKey(keyScope(pool, epoch)).keyId,
    statement: key.statement,
  })
  return { kind: 'published', key, fresh: true }
}

/** Key and statement of an epoch; the signature is deterministic, so this is the statement that stands on the chain. */
function publishedKey(
  context: { readonly keys: NodeKeyRing; readonly sign: NodeSigner },
  pool: ServedPool,
  epoch: number,
): PublishedPoolKey {
  const { publicKey, keyId } = context.keys.poolKey(keyScope(pool, epoch))
  const statement = context.sign({
    type: 'sealpool/pool-key',
    body: {
      pool: pool.address,
      epoch,
      policy: pool.policyDigest,
      kem: 'x25519',
      publicKey: encodeBase64Url(publicKey),
      keyId,
    },
    ...poolKeyContext({
      deployment: context.sign.deployment,
      nonce: BigInt(epoch),
      pool: pool.address as Address,
      epoch,
      policyDigest: digestToHex(pool.policyDigest),
      keyDigest: digestToHex(keyId),
    }),
  })
  return {
    epoch,
    publicKey: encodeBase64Url(publicKey),
    keyId,
    statement,
    live: liveStatement(context, pool),
  }
}

/** Bound to the key set, and so to the settings that say so: a switch makes it worthless. */
function liveStatement(
  { keys, sign }: { readonly keys: NodeKeyRing; readonly sign: NodeSigner },
  pool: ServedPool,
): SignedStatement | null {
  if (pool.keep === 'escrow') return null
  return sign({
    type: 'sealpool/live-pool',
    body: { pool: pool.address, keySet: keys.keySetDigest },
    pool: pool.address,
    subject: digestToHex(keys.keySetDigest),
    nonce: '0',
  })
}
