/**
 * Everything that follows from the root secret, bound to the measured settings.
 * @module
 */
import {
  type Address,
  addressOf,
  type Digest,
  deriveNodeKeys,
  derivePoolKey,
  deriveSecret,
  digestOf,
  encodeBase64Url,
  type KeyScope,
  type KeySet,
  keySetDigest,
  type PoolKey,
} from '@sealpool/crypto'

/** The node's keys. The object lives in memory only; nothing in it may be logged. */
export interface NodeKeyRing {
  readonly keySet: KeySet
  readonly keySetDigest: Digest
  /** Signs statements; its address stands in the key set. */
  readonly statementKey: Uint8Array
  readonly statementAddress: Address
  /** Opens messages sent to the node itself. */
  readonly hpkePrivateKey: Uint8Array
  /** Key pair to which contributions of a pool are sealed. */
  poolKey(scope: KeyScope): PoolKey
  /** Secret of a pool for one purpose, for example the encryption of its tables; 32 bytes. */
  poolSecret(purpose: string, scope: KeyScope): Uint8Array
  /** Key of the node's state at rest on one deployment, whatever its settings; 32 bytes. */
  stateSecret(deployment: { readonly chainId: number; readonly nodeRegistry: Address }): Uint8Array
  /** Authenticates the empty database that lies beside the state; 32 bytes. */
  templateSecret(deployment: { readonly chainId: number; readonly nodeRegistry: Address }): Uint8Array
  /** Key of the memory's image that lies beside the state while the node is stopped; 32 bytes. */
  imageSecret(deployment: { readonly chainId: number; readonly nodeRegistry: Address }): Uint8Array
  /** Authenticates backups of the node's state; 32 bytes. */
  backupSecret(deployment: { readonly chainId: number; readonly nodeRegistry: Address }): Uint8Array
  /** Key of the tokens that the API gives out, for this key set alone; 32 bytes. */
  accessSecret(deployment: { readonly chainId: number; readonly nodeRegistry: Address }): Uint8Array
  /**
   * Key under which shares are sent to this node as a committee's member; 32 bytes.
   * @param purpose of the committee's session: each has a key of its own
   */
  committeeSecret(
    deployment: { readonly chainId: number; readonly nodeRegistry: Address },
    purpose: Digest,
  ): Uint8Array
  /** Ed25519 key of the log of receipts on one deployment, the same whatever the settings are; 32 bytes. */
  logSecret(deployment: { readonly chainId: number; readonly nodeRegistry: Address }): Uint8Array
}

/** Stands where a pool's policy would: the state belongs to no pool. */
const stateScope = /* @__PURE__ */ digestOf({ format: 'sealpool/node-state', version: 1 })

/**
 * Derives the node's keys.
 * @param root 32 to 64 secret bytes from a key release
 * @param config digest of the measured settings
 * @returns the keys; equal inputs give equal keys
 * @throws CryptoError `KEY_INVALID` for a root of another length
 */
export function openKeyRing(root: Uint8Array, config: Digest): NodeKeyRing {
  const keys = deriveNodeKeys(root)
  const statementAddress = addressOf(keys.statementKey)
  const keySet: KeySet = {
    format: 'sealpool/key-set',
    version: 1,
    hpke: { kem: 'x25519', publicKey: encodeBase64Url(keys.hpke.publicKey) },
    statement: { scheme: 'eip712-secp256k1', address: statementAddress },
    config,
  }
  const keySetId = keySetDigest(keySet)
  const nodeSecret = (
    purpose: string,
    { chainId, nodeRegistry }: { readonly chainId: number; readonly nodeRegistry: Address },
    policyDigest: Digest = stateScope,
  ) => deriveSecret({ root: keys.root, purpose, chainId, pool: nodeRegistry, policyDigest, epoch: 0 })
  return {
    keySet,
    keySetDigest: keySetId,
    statementKey: keys.statementKey,
    statementAddress,
    hpkePrivateKey: keys.hpke.privateKey,
    poolKey: (scope) => derivePoolKey({ root: keys.root, ...scope }),
    poolSecret: (purpose, scope) => deriveSecret({ root: keys.root, purpose, ...scope }),
    stateSecret: (deployment) => nodeSecret('node-state', deployment),
    templateSecret: (deployment) => nodeSecret('empty-database', deployment),
    imageSecret: (deployment) => nodeSecret('memory-image', deployment),
    backupSecret: (deployment) => nodeSecret('state-backup', deployment),
    accessSecret: (deployment) => nodeSecret('api-access', deployment, keySetId),
    committeeSecret: (deployment, purpose) => nodeSecret('committee-member', deployment, purpose),
    logSecret: (deployment) => nodeSecret('receipt-log', deployment),
  }
}
