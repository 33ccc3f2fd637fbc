import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { drawRandom, equalBytes, type Random, requireBytes, requireNonZero } from '../encoding/bytes.js'
import { decodeHex, type Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'
import { type Kem, requireKem } from '../hpke/kem.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { lowerS, splitSignature } from '../statement/signature.js'
import { type WalletIdentity, type WalletKeyTypedData, walletIdentity, walletIdentityOf } from './wallet.js'

/** Why a wallet's signature cannot be its key. */
export type RandomKeyReason =
  /** The address has code: its signatures are answered by ERC-1271 and may change with its owners. */
  | 'contract-wallet'
  /** The address answers for a signature that is not its own ECDSA: a contract wallet, perhaps one not yet deployed. */
  | 'contract-signature'
  /** The wallet signed the same data in two ways. */
  | 'not-deterministic'
  /** A key that shall outlive elliptic curves cannot be made of a signature over one: who breaks the curve can sign. */
  | 'post-quantum'
  /** What the wallet gave is no ECDSA signature by this address. */
  | 'not-a-signature-of-the-address'

/** A wallet's key: made from its signature, or random. */
export type WalletKey =
  | { readonly source: 'signature'; readonly identity: WalletIdentity }
  | {
      readonly source: 'random'
      readonly identity: WalletIdentity
      readonly reason: RandomKeyReason
      /** 32 secret bytes from which {@link walletIdentityFromSecret} makes the identity again; back them up. */
      readonly secret: Uint8Array
    }

/** What {@link establishWalletKey} takes. */
export interface EstablishWalletKeyOptions {
  readonly address: Address
  /** From `walletKeyTypedData`. */
  readonly typedData: WalletKeyTypedData
  /** Asks the wallet to sign; called twice. Its errors (a user who declines) come out as they are. */
  readonly sign: (typedData: WalletKeyTypedData) => Promise<Hex>
  /** Whether the address has code on its chain; without it a contract wallet is told by its signatures alone. */
  readonly isContract?: (() => Promise<boolean>) | undefined
  /**
   * Whether the address answers for a signature that is no ECDSA of its own (ERC-1271, for contracts not yet deployed
   * ERC-6492), as viem's `verifyTypedData` of a public client does. With it, a signature for which nobody answers is refused:
   * the user picked another account.
   */
  readonly isValidSignature?:
    | ((request: { readonly typedData: WalletKeyTypedData; readonly signature: Hex }) => Promise<boolean>)
    | undefined
  readonly random: Random
  /** `x25519Kem` by default. With any other (`xwingKem`) the key is random, and the wallet is not asked to sign. */
  readonly kem?: Kem | undefined
}

/**
 * Makes a wallet's key from its signature where that is safe, and otherwise a random key. The wallet is asked twice:
 * one that does not sign alike twice (many MPC wallets) could never make its key again.
 *
 * @param options - see {@link EstablishWalletKeyOptions}
 * @returns the identity; for a random key also why, and the secret to back up
 * @throws CryptoError `SIGNATURE_INVALID` when an address that does not answer for the signature (`isValidSignature`), or
 *   without that port is known to be no contract, gives another's: the user picked another account; `OPTION_INVALID` (a port that is
 *   no function, or `typedData` that is no plain object that can be copied, such as a proxy); `ADDRESS_INVALID`, `RANDOM_INVALID`;
 *   errors of `sign`, `isContract` and `isValidSignature` come out as they are
 */
export async function establishWalletKey(options: EstablishWalletKeyOptions): Promise<WalletKey> {
  const { sign, isContract, isValidSignature, random, kem = x25519Kem } = options
  requireKem(kem)
  for (const [name, port] of Object.entries({ sign, isContract, isValidSignature })) {
    if (typeof port === 'function' || (port === undefined && name !== 'sign')) continue
    throw new CryptoError('OPTION_INVALID', name, 'expected a function')
  }
  const address = parseAddress(options.address)
  const fallBack = (reason: RandomKeyReason): WalletKey => {
    const secret = drawRandom(random, 32)
    return { source: 'random', reason, secret, identity: walletIdentityFromSecret({ secret, address, kem }) }
  }
  if (kem.id !== x25519Kem.id) return fallBack('post-quantum')
  const typedData = ownTypedData(options.typedData)
  const contract = await isContract?.()
  if (contract === true) return fallBack('contract-wallet')
  const [first, second] = [await sign(typedData), await sign(typedData)]
  try {
    const identity = walletIdentity({ signature: first, address, typedData, kem })
    walletIdentity({ signature: second, address, typedData, kem })
    if (!sameSignature(first, second)) return fallBack('not-deterministic')
    return { source: 'signature', identity }
  } catch (error) {
    const refused = error instanceof CryptoError && error.code === 'SIGNATURE_INVALID'
    if (!refused) throw error
    if (isValidSignature === undefined) {
      if (contract === false) throw error
      return fallBack('not-a-signature-of-the-address')
    }
    // Also where there is no code: a contract wallet that is not deployed yet answers by ERC-6492.
    // Both: a key must not hang on which of two answers the wallet gave.
    for (const signature of [first, second]) {
      if ((await isValidSignature({ typedData, signature })) !== true) throw error
    }
    return fallBack('contract-signature')
  }
}

/** The wallet is to sign what was given at the call. */
function ownTypedData(typedData: WalletKeyTypedData): WalletKeyTypedData {
  try {
    return structuredClone(requireOptions(typedData, 'typedData'))
  } catch {
    throw new CryptoError(
      'OPTION_INVALID',
      'typedData',
      'expected what walletKeyTypedData makes, no proxy of it',
    )
  }
}

function sameSignature(first: Hex, second: Hex): boolean {
  const parts = (signature: Hex) => {
    const { r, s } = splitSignature(signature, 'signature')
    return { r, s: lowerS(s, 'signature') }
  }
  const [one, two] = [parts(first), parts(second)]
  return equalBytes(one.r, two.r) && equalBytes(one.s, two.s)
}

/**
 * The identity of a wallet whose key is random.
 *
 * @param options - `secret`: 32 bytes, from {@link establishWalletKey} or a backup; `address`: the wallet; `kem`: as
 *   when the key was made
 * @returns the identity with its public key
 * @throws CryptoError `KEY_INVALID` (also for zeros: a secret that was wiped too early), `ADDRESS_INVALID`
 */
export function walletIdentityFromSecret(options: {
  readonly secret: Uint8Array
  readonly address: Address
  readonly kem?: Kem | undefined
}): WalletIdentity {
  requireOptions(options)
  const address = parseAddress(options.address)
  const salt = utf8('sealpool/wallet-key/random/1')
  const secret = requireNonZero(requireBytes(options.secret, 32, 'secret'), 'KEY_INVALID', 'secret')
  const material = hkdf(sha256, secret, salt, decodeHex(address), 32)
  return walletIdentityOf(material, address, options.kem ?? x25519Kem)
}
