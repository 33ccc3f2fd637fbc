import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { concatBytes, equalBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'
import { type Kem, requireKem } from '../hpke/kem.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { chainIdWord, keccak256, keccakOfText, typedDataDigest } from '../statement/eip712.js'
import { lowerS, recoverAddress, splitSignature } from '../statement/signature.js'
import { type Identity, kemIdentity, kemRecipient, type Recipient, type StanzaLabel } from './recipient.js'
import { keyIdOfKey } from './x25519.js'

const domainName = 'Sealpool wallet key'
const warning =
  'This signature is a key: whoever has it can open files sealed to your wallet. Sign only in an app you trust.'

/** EIP-712 data that a wallet signs to make its key; goes into viem's `signTypedData` as it is. */
export interface WalletKeyTypedData {
  readonly domain: { readonly name: string; readonly version: '1'; readonly chainId: number }
  readonly types: {
    readonly WalletKey: readonly [
      { readonly name: 'purpose'; readonly type: 'string' },
      { readonly name: 'warning'; readonly type: 'string' },
    ]
  }
  readonly primaryType: 'WalletKey'
  readonly message: { readonly purpose: string; readonly warning: string }
}

/**
 * The EIP-712 data whose signature becomes a wallet's X25519 key. A wallet that signs deterministically (RFC 6979)
 * makes the same key on every device; `establishWalletKey` finds out, and draws a random key for one that does not.
 *
 * @param options - `chainId`, and the `purpose` shown to the user, 1 to 128 printable ASCII characters
 * @returns the typed data
 * @throws CryptoError `OPTION_INVALID`, `STATEMENT_INVALID` (chain id)
 */
export function walletKeyTypedData(options: {
  readonly chainId: number
  readonly purpose: string
}): WalletKeyTypedData {
  requireOptions(options)
  const { chainId, purpose } = options
  chainIdWord(chainId, 'chainId')
  if (typeof purpose !== 'string' || !/^[\x20-\x7e]{1,128}$/.test(purpose)) {
    throw new CryptoError('OPTION_INVALID', 'purpose', 'a purpose is 1 to 128 printable ASCII characters')
  }
  return {
    domain: { name: domainName, version: '1', chainId },
    types: {
      WalletKey: [
        { name: 'purpose', type: 'string' },
        { name: 'warning', type: 'string' },
      ],
    },
    primaryType: 'WalletKey',
    message: { purpose, warning },
  }
}

/**
 * The EIP-712 digest of {@link walletKeyTypedData}.
 *
 * @param typedData - from {@link walletKeyTypedData}
 * @returns 32 bytes
 * @throws CryptoError `STATEMENT_INVALID` (chain id), `OPTION_INVALID` for what is no such data
 */
export function walletKeyHash(typedData: WalletKeyTypedData): Uint8Array {
  const { domain, message } = requireOptions(typedData, 'typedData')
  const texts = [domain?.name, domain?.version, message?.purpose, message?.warning]
  if (!texts.every((text) => typeof text === 'string')) {
    throw new CryptoError('OPTION_INVALID', 'typedData', 'expected what walletKeyTypedData gives')
  }
  const domainType = keccakOfText('EIP712Domain(string name,string version,uint256 chainId)')
  const chainId = chainIdWord(domain.chainId, 'chainId')
  const separator = concatBytes(domainType, keccakOfText(domain.name), keccakOfText(domain.version), chainId)
  const type = keccakOfText('WalletKey(string purpose,string warning)')
  const struct = concatBytes(type, keccakOfText(message.purpose), keccakOfText(message.warning))
  return typedDataDigest(keccak256(separator), keccak256(struct))
}

/** A wallet's identity, and the public key by which others seal to it. */
export interface WalletIdentity extends Identity {
  readonly address: Address
  /** X25519: 32 bytes. X-Wing: 1,216 bytes. */
  readonly publicKey: Uint8Array
}

/**
 * Makes a wallet's X25519 key pair from its signature of {@link walletKeyTypedData}: HKDF-SHA-256 over `r` and the
 * lower `s`, bound to the address. With `xwingKem` such a key is no safer than the wallet itself: whoever breaks elliptic curves
 * can sign; take a random one (`establishWalletKey`) where that matters. File keys are never made from signatures; they are random and only wrapped for
 * this key. Both forms of a signature (high or low `s`, `v` from 0 or from 27) give the same key.
 *
 * @param options - `signature`: 65 bytes as hex, secret; `address`: the wallet; `typedData`: when given, the
 *   signature must be this wallet's signature of it; `kem`: `x25519Kem` by default, or `xwingKem`
 * @returns the identity with its public key
 * @throws CryptoError `SIGNATURE_INVALID` (no 65 bytes, or another signer than `address`), `ADDRESS_INVALID`
 */
export function walletIdentity(options: {
  readonly signature: Hex
  readonly address: Address
  readonly typedData?: WalletKeyTypedData | undefined
  readonly kem?: Kem | undefined
}): WalletIdentity {
  requireOptions(options)
  const { kem = x25519Kem } = options
  requireKem(kem)
  const address = parseAddress(options.address)
  const { r, s, v } = splitSignature(options.signature, 'signature')
  const low = lowerS(s, 'signature')
  if (options.typedData !== undefined) {
    const parity = (v % 27) ^ (equalBytes(low, s) ? 0 : 1)
    const normal = encodeHex(concatBytes(r, low, new Uint8Array([27 + parity])))
    if (recoverAddress(walletKeyHash(options.typedData), normal) !== address) {
      throw new CryptoError(
        'SIGNATURE_INVALID',
        'signature',
        'another wallet signed; ask the one at `address`',
      )
    }
  }
  const salt = utf8('sealpool/wallet-key/1')
  const material = hkdf(sha256, concatBytes(r, low), salt, decodeHex(address), 32)
  return walletIdentityOf(material, address, kem)
}

/**
 * The identity of a wallet for key material.
 *
 * @param material - 32 secret bytes
 * @param address - in lower case
 * @param kem - how files are wrapped
 * @returns the identity with its public key
 */
export function walletIdentityOf(material: Uint8Array, address: Address, kem: Kem): WalletIdentity {
  const { publicKey, privateKey } = requireKem(kem).deriveKeyPair(material)
  const identity = kemIdentity(labelOf(kem, publicKey, address), kem, kem.prepare(privateKey))
  return { ...identity, address, publicKey }
}

/**
 * A wallet as recipient.
 *
 * @param options - `publicKey`: from {@link walletIdentity}; `address`: the wallet; `kem`: as for the identity
 * @returns the recipient
 * @throws CryptoError `KEY_INVALID`, `ADDRESS_INVALID`
 */
export function walletRecipient(options: {
  readonly publicKey: Uint8Array
  readonly address: Address
  readonly kem?: Kem | undefined
}): Recipient {
  requireOptions(options)
  const { kem = x25519Kem } = options
  requireKem(kem)
  const publicKey = kem.requirePublicKey(options.publicKey)
  return kemRecipient(labelOf(kem, publicKey, parseAddress(options.address)), kem, publicKey)
}

function labelOf(kem: Kem, publicKey: Uint8Array, address: Address): StanzaLabel {
  return { type: 'wallet', kem: kem.name, keyId: keyIdOfKey(publicKey), address }
}
