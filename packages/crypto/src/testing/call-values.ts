import * as main from '../index.js'

/** A function and arguments that it takes: what every field of them may be is tried with these. */
export type ValidCalls = Readonly<Record<string, readonly [(o: never) => unknown, object]>>

/** The platform’s random bytes. */
export const random = main.platformRandom
/** Some bytes of a length. */
export const bytes = (n: number) => new Uint8Array(n).fill(5)
/** An address: of a wallet, a pool, a registry. */
export const address = `0x${'ab'.repeat(20)}` as const
/** A digest: of a policy, a question. */
export const digest = `sha256:${'cd'.repeat(32)}` as const
/** Pool, policy and epoch. */
export const scope = { chainId: 31337, pool: address, policyDigest: digest, epoch: 1 }
/** The pool’s key. */
export const key = main.derivePoolKey({ root: bytes(32), ...scope })
/** The context of a file. */
export const context = { ...scope, mediaType: 'a/b' }
/** An X25519 key pair. */
export const keyPair = main.deriveKeyPair(bytes(32))
/** A secp256k1 private key. */
export const privateKey = bytes(32)
/** A wallet’s secret. */
export const walletSecret = bytes(32)
