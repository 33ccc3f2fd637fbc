import { type Address, encodeBase64Url, equalBytes, type Hex } from '@sealpool/crypto'
import { PocError } from '../errors.js'
import { recoverSigner } from '../signature/ethereum.js'
import { type TypedData, typedDataHash } from '../signature/typed-data.js'

/** What binds a wallet to an account: signed by the wallet, and shown by the account. */
export interface BindingChallenge {
  readonly chainId: number
  readonly pool: Address
  readonly wallet: Address
  /** Pseudonym of the account, 64 hexadecimal digits; see `accountPseudonym`. */
  readonly account: string
  readonly provider: string
  /** 32 random bytes in hexadecimal, used once. */
  readonly nonce: Hex
  /** Unix seconds until which it can be answered. */
  readonly expires: number
}

/** Outcome of an answer to a challenge. */
export interface BindingVerdict {
  readonly bound: boolean
  readonly reason:
    | 'BOUND'
    | 'ANOTHER_POOL'
    | 'NOT_ISSUED'
    | 'EXPIRED'
    | 'WALLET_DID_NOT_SIGN'
    | 'ANOTHER_ACCOUNT'
    | 'ACCOUNT_DID_NOT_ANSWER'
    | 'NONCE_USED'
}

/**
 * The typed data that the wallet signs (EIP-712), bound to chain and pool: a signature for one pool is worth nothing in another.
 *
 * @param challenge what was made with {@link makeBindingChallenge}
 * @returns as `eth_signTypedData_v4` takes it, without `EIP712Domain` in its types
 */
export function bindingTypedData(challenge: BindingChallenge): TypedData {
  return {
    domain: {
      name: 'Sealpool account',
      version: '1',
      chainId: challenge.chainId,
      verifyingContract: challenge.pool,
    },
    types: {
      AccountBinding: [
        { name: 'wallet', type: 'address' },
        { name: 'account', type: 'bytes32' },
        { name: 'provider', type: 'string' },
        { name: 'nonce', type: 'bytes32' },
        { name: 'expires', type: 'uint256' },
      ],
    },
    primaryType: 'AccountBinding',
    message: {
      wallet: challenge.wallet,
      account: `0x${challenge.account}`,
      provider: challenge.provider,
      nonce: challenge.nonce,
      expires: challenge.expires,
    },
  }
}

/**
 * Makes a challenge.
 *
 * @param options all but the nonce, and `random`: 32 bytes nobody can foresee
 * @returns the challenge, with `random` in hexadecimal as its nonce
 * @throws PocError `OPTION_INVALID` naming the field
 */
export function makeBindingChallenge(
  options: Omit<BindingChallenge, 'nonce'> & { readonly random: Uint8Array },
): BindingChallenge {
  const { random, ...rest } = options
  if (random.length !== 32) throw new PocError('OPTION_INVALID', 'random', 'a nonce has 32 bytes')
  const nonce = `0x${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}` as const
  const challenge = { ...rest, nonce }
  if (typedDataHash(bindingTypedData(challenge)) === undefined || !Number.isSafeInteger(rest.expires)) {
    throw new PocError('OPTION_INVALID', 'challenge', 'wallet, account or time of the challenge is malformed')
  }
  return challenge
}

/**
 * The text that the account shows (in its profile, in a message that it signs or sends), so that an authentic export of the account
 * proves who answered. It follows from the whole challenge, so it cannot be used for another wallet.
 *
 * @param challenge what is answered
 * @returns `sealpool-` and 24 characters of base64url, the first 18 bytes of the typed data's hash
 * @throws PocError `OPTION_INVALID` for a malformed challenge
 */
export function accountAnswer(challenge: BindingChallenge): string {
  const hash = typedDataHash(bindingTypedData(challenge))
  if (hash === undefined) throw new PocError('OPTION_INVALID', 'challenge', 'the challenge is malformed')
  return `sealpool-${encodeBase64Url(hash.subarray(0, 18))}`
}

/**
 * Judges an answer: the challenge is one that was made for this pool, the wallet signed it, and an export whose authenticity was verified
 * comes from the account and holds the answer's text.
 *
 * @param options `challenge` as it came back; `expected`: pool and chain that are served; `issued`: the challenge that was made with a
 *   nonce, undefined when none was; `signature` of the wallet; `account`: pseudonym of the account that the authentic export names;
 *   `shown`: text of that export in which the answer must stand; `at`: Unix seconds; `isUsed`: whether a nonce was answered before.
 *   Nonces are given in lower case
 * @returns whether wallet and account are bound, or the first reason why not; noting the nonce as used is left to the caller
 */
export function verifyBinding(options: {
  readonly challenge: BindingChallenge
  readonly expected: { readonly pool: Address; readonly chainId: number }
  readonly issued: (nonce: Hex) => BindingChallenge | undefined
  readonly signature: unknown
  readonly account: string
  readonly shown: string
  readonly at: number
  readonly isUsed: (nonce: Hex) => boolean
}): BindingVerdict {
  const { challenge, at } = options
  const no = (reason: BindingVerdict['reason']): BindingVerdict => ({ bound: false, reason })
  const { pool, chainId } = options.expected
  if (challenge.pool.toLowerCase() !== pool.toLowerCase() || challenge.chainId !== chainId) {
    return no('ANOTHER_POOL')
  }
  // The typed hash does not see the case of hexadecimal digits, a set of used nonces does.
  const nonce = challenge.nonce.toLowerCase() as Hex
  const hash = typedDataHash(bindingTypedData(challenge))
  const issued = options.issued(nonce)
  const own = issued === undefined ? undefined : typedDataHash(bindingTypedData(issued))
  // The whole of it: a wallet signs any time of expiry that it likes.
  if (hash === undefined || own === undefined || !equalBytes(hash, own)) return no('NOT_ISSUED')
  if (!(at <= challenge.expires)) return no('EXPIRED')
  const signer = recoverSigner(hash, options.signature)
  if (signer === undefined || signer !== challenge.wallet.toLowerCase()) return no('WALLET_DID_NOT_SIGN')
  if (options.account !== challenge.account) return no('ANOTHER_ACCOUNT')
  if (!options.shown.includes(accountAnswer(challenge))) return no('ACCOUNT_DID_NOT_ANSWER')
  if (options.isUsed(nonce)) return no('NONCE_USED')
  return { bound: true, reason: 'BOUND' }
}
