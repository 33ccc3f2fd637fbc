import type { Account, Address, Hex } from 'viem'
import { ContractsError } from '../errors.js'

/** An offer of a direct payment: one side signs it, the other accepts it. */
export interface Offer {
  readonly seller: Address
  readonly buyer: Address
  /** Decides when the buyer disputes. */
  readonly arbiter: Address
  readonly token: Address
  /** The price, in the token's smallest unit: exactly this is taken. */
  readonly amount: bigint
  /** Digest of what is sold: a job, a quote, a data set. */
  readonly subject: Hex
  /** Last second, unix time, at which it can be accepted. */
  readonly expiresAt: bigint
  /** Last second at which delivery counts; not before `expiresAt`. */
  readonly deliverBy: bigint
  /** Hash of the offer that this one counters; 32 zero bytes for a first one. */
  readonly counterTo: Hex
  readonly nonce: bigint
}

/** EIP-712 types of an offer. */
export const offerTypes = {
  Offer: [
    { name: 'seller', type: 'address' },
    { name: 'buyer', type: 'address' },
    { name: 'arbiter', type: 'address' },
    { name: 'token', type: 'address' },
    { name: 'amount', type: 'uint256' },
    { name: 'subject', type: 'bytes32' },
    { name: 'expiresAt', type: 'uint64' },
    { name: 'deliverBy', type: 'uint64' },
    { name: 'counterTo', type: 'bytes32' },
    { name: 'nonce', type: 'uint256' },
  ],
} as const

/**
 * The EIP-712 data that a side of an offer signs; bound to chain and contract. viem's `hashTypedData` of it is the offer's hash,
 * by which the contract knows the sale, and which a counter-offer names.
 *
 * @param args - `chainId`; `directPayments`, the contract's address (`deployMarket`); `offer`
 * @returns domain, types and message as viem's `signTypedData` takes them
 */
export function offerTypedData(args: {
  readonly chainId: number
  readonly directPayments: Address
  readonly offer: Offer
}) {
  return {
    domain: {
      name: 'Sealpool Payments',
      version: '1',
      chainId: args.chainId,
      verifyingContract: args.directPayments,
    },
    types: offerTypes,
    primaryType: 'Offer',
    message: { ...args.offer },
  } as const
}

/**
 * Signs an offer with a local account of viem, the seller's or, to counter, the buyer's. For a browser wallet, sign
 * {@link offerTypedData} with the wallet client instead.
 *
 * @param args - `account`, local; `chainId`; `directPayments`, the contract's address; `offer`
 * @returns the signature, with which the other side sends `accept`
 * @throws {ContractsError} `NO_ACCOUNT` when the account cannot sign typed data; `ARGUMENT_INVALID` when it is neither seller nor
 * buyer.
 * @example
 * const signature = await signOffer({ account, chainId, directPayments, offer })
 * await invoke(buyer, { address: directPayments, abi: directPaymentsAbi, functionName: 'accept', args: [offer, signature] })
 */
export async function signOffer(args: {
  readonly account: Account
  readonly chainId: number
  readonly directPayments: Address
  readonly offer: Offer
}): Promise<Hex> {
  const { account, offer } = args
  if (account.signTypedData === undefined) {
    throw new ContractsError('NO_ACCOUNT', 'signOffer', 'this account cannot sign here: use a local account')
  }
  const signer = account.address.toLowerCase()
  if (signer !== offer.seller.toLowerCase() && signer !== offer.buyer.toLowerCase()) {
    throw new ContractsError('ARGUMENT_INVALID', 'signOffer', 'the account is neither seller nor buyer')
  }
  return account.signTypedData(offerTypedData(args))
}
