/**
 * What two nodes seal to each other's keys of one transfer: leash and answer, as sealed files whose context is the job's first pool.
 * @module
 */
import {
  CryptoError,
  hpkeIdentity,
  hpkeRecipient,
  type KeyScope,
  openBytes,
  sealBytes,
} from '@sealpool/crypto'

/** What a parcel is: no leash passes as an answer. `share`: see `federation`. */
export type ParcelKind = 'leash' | 'answer' | 'share'

const mediaType = (kind: ParcelKind): string => `application/vnd.sealpool.hand-off-${kind}+json`

/** Seals bytes to one key. */
export async function sealParcel(
  bytes: Uint8Array,
  options: {
    readonly kind: ParcelKind
    readonly publicKey: Uint8Array
    readonly scope: KeyScope
    readonly random: (length: number) => Uint8Array
  },
): Promise<Uint8Array> {
  const { kind, publicKey, scope, random } = options
  return sealBytes(bytes, {
    recipients: [hpkeRecipient({ publicKey })],
    context: { ...scope, mediaType: mediaType(kind) },
    random,
  })
}

/**
 * Opens what was sealed to a key.
 * @returns undefined when it was sealed to another key, for another pool or policy, as another kind, or was changed
 */
export async function openParcel(
  sealed: Uint8Array,
  options: {
    readonly kind: ParcelKind
    readonly privateKey: Uint8Array
    readonly scope: Pick<KeyScope, 'chainId' | 'pool'> & Partial<KeyScope>
  },
): Promise<Uint8Array | undefined> {
  const { kind, privateKey, scope } = options
  try {
    const { plaintext } = await openBytes(sealed, {
      identities: [hpkeIdentity({ privateKey })],
      expect: { ...scope, mediaType: mediaType(kind) },
    })
    return plaintext
  } catch (cause) {
    if (cause instanceof CryptoError) return undefined
    throw cause
  }
}
