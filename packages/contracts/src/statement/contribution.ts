import type { Account, Address, Hex } from 'viem'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'

/** One sealed file, offered to one pool by its owner. Digests are 32-byte hex. */
export interface Contribution {
  readonly owner: Address
  readonly pool: Address
  /** SHA-256 of the sealed bytes. */
  readonly blobDigest: Hex
  /** Salted commitment to the plaintext. */
  readonly commitment: Hex
  readonly schemaId: Hex
  readonly consentDigest: Hex
  /** The pool's current key epoch. */
  readonly epoch: number
  /** Where the sealed bytes are, 1 to 512 bytes of UTF-8. */
  readonly locator: string
  /** Any number that the owner has not used in this registry; unordered. Small consecutive numbers cost least gas. */
  readonly nonce: bigint
}

/** A contribution with its owner's signature: anyone may send it. */
export interface SignedContribution {
  readonly contribution: Contribution
  /** Last second, unix time, at which it may be recorded. */
  readonly deadline: bigint
  readonly signature: Hex
}

/** EIP-712 types of a contribution. */
export const contributionTypes = {
  Contribution: [
    { name: 'owner', type: 'address' },
    { name: 'pool', type: 'address' },
    { name: 'blobDigest', type: 'bytes32' },
    { name: 'commitment', type: 'bytes32' },
    { name: 'schemaId', type: 'bytes32' },
    { name: 'consentDigest', type: 'bytes32' },
    { name: 'epoch', type: 'uint32' },
    { name: 'locator', type: 'string' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const

/**
 * The EIP-712 data that the owner of a contribution signs; bound to chain and data registry.
 *
 * @param args - `deployment`, chain and data registry; `contribution`; `deadline`, unix seconds, the last second at which
 * it may be recorded
 * @returns domain, types and message as viem's `signTypedData` takes them
 */
export function contributionTypedData(args: {
  readonly deployment: Pick<Deployment, 'chainId' | 'dataRegistry'>
  readonly contribution: Contribution
  readonly deadline: bigint
}) {
  return {
    domain: {
      name: 'Sealpool',
      version: '1',
      chainId: args.deployment.chainId,
      verifyingContract: args.deployment.dataRegistry,
    },
    types: contributionTypes,
    primaryType: 'Contribution',
    message: { ...args.contribution, deadline: args.deadline },
  } as const
}

/**
 * Signs a contribution with a local account (a private key or HD account of viem). For a browser wallet, sign
 * {@link contributionTypedData} with the wallet client instead.
 *
 * @param args - `account`, the owner's, local; `deployment`, chain and data registry; `contribution`
 * @param args.deadline Unix seconds, chain time.
 * @returns contribution, deadline and signature: `contributeSigned` sends them
 * @throws {ContractsError} `NO_ACCOUNT` when the account cannot sign typed data; `ARGUMENT_INVALID` when it is not the
 * owner.
 */
export async function signContribution(args: {
  readonly account: Account
  readonly deployment: Pick<Deployment, 'chainId' | 'dataRegistry'>
  readonly contribution: Contribution
  readonly deadline: bigint
}): Promise<SignedContribution> {
  const { account, contribution, deadline } = args
  if (account.signTypedData === undefined) {
    throw new ContractsError(
      'NO_ACCOUNT',
      'signContribution',
      'this account cannot sign here: use a local account',
    )
  }
  if (account.address.toLowerCase() !== contribution.owner.toLowerCase()) {
    throw new ContractsError('ARGUMENT_INVALID', 'signContribution', 'the account is not the owner')
  }
  const signature = await account.signTypedData(contributionTypedData(args))
  return { contribution, deadline, signature }
}
