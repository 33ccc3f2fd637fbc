import { type Account, type Address, type Hex, hashTypedData } from 'viem'
import { type Terms, termsOf } from '../action/job-read.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'

/** What an issuer signs, without gas: runs of one digest for one grantee, who alone can redeem it. */
export interface QueryPermit {
  readonly issuer: Address
  /** Number of the appointment under which it is given (`getAppointment`): another appointment, or none, makes it worthless. */
  readonly appointment: number
  readonly pool: Address
  readonly grantee: Address
  /** Of a job's manifest, or of a template. */
  readonly jobDigest: Hex
  /** What the grant allows; its `closesAt` is the last second at which the permit can be redeemed, too. */
  readonly terms: Terms
  /** 32 bytes that tell permits with the same words apart. */
  readonly salt: Hex
}

/** A permit with its issuer's signature, and where it counts: all that its grantee needs. */
export interface SignedPermit {
  readonly chainId: number
  /** The contract that redeems it. */
  readonly permissions: Address
  readonly permit: QueryPermit
  /** 65 bytes of a plain key; of a contract wallet (ERC-1271) whatever it takes. */
  readonly signature: Hex
}

/** EIP-712 types of a permit. */
export const permitTypes = {
  QueryPermit: [
    { name: 'issuer', type: 'address' },
    { name: 'appointment', type: 'uint32' },
    { name: 'pool', type: 'address' },
    { name: 'grantee', type: 'address' },
    { name: 'jobDigest', type: 'bytes32' },
    { name: 'terms', type: 'Terms' },
    { name: 'salt', type: 'uint256' },
  ],
  Terms: [
    { name: 'price', type: 'uint128' },
    { name: 'poolTokenBurn', type: 'uint128' },
    { name: 'runs', type: 'uint32' },
    { name: 'opensAt', type: 'uint64' },
    { name: 'closesAt', type: 'uint64' },
    { name: 'scopeDigest', type: 'bytes32' },
  ],
} as const

/** A permit, and the deployment whose contract redeems it. */
export interface PermitPlace {
  readonly deployment: Pick<Deployment, 'chainId' | 'permissions'>
  readonly permit: QueryPermit
}

/**
 * A permit as the contract takes it.
 *
 * @param permit - a permit
 * @returns the same with its salt as a number, and zero for a scope that is not given
 */
export function permitWords(permit: QueryPermit) {
  const { issuer, appointment, pool, grantee, jobDigest, salt } = permit
  return { issuer, appointment, pool, grantee, jobDigest, terms: termsOf(permit.terms), salt: BigInt(salt) }
}

/**
 * The EIP-712 data that an issuer signs; bound to chain and contract.
 *
 * @param args - `deployment`, whose contract redeems it; `permit`
 * @returns domain, types and message as viem's `signTypedData` takes them
 */
export function permitTypedData({ deployment, permit }: PermitPlace) {
  return {
    domain: {
      name: 'Sealpool',
      version: '1',
      chainId: deployment.chainId,
      verifyingContract: deployment.permissions,
    },
    types: permitTypes,
    primaryType: 'QueryPermit',
    message: permitWords(permit),
  } as const
}

/**
 * The name of a permit: its EIP-712 hash, under which the contract keeps what became of it.
 *
 * @param args - `deployment`; `permit`
 * @returns 32 bytes
 */
export function permitDigest(args: PermitPlace): Hex {
  return hashTypedData(permitTypedData(args))
}

/**
 * Signs a permit with the issuer's account; no transaction, no gas. For a browser wallet, sign {@link permitTypedData} with the
 * wallet client instead. Whether the pool's vote lets it be given the contract says when it is redeemed, and `getPermit` before.
 *
 * @param args - `account`, the issuer's, local; `deployment`; `permit`
 * @returns what its grantee redeems (`redeemPermit`); it is no secret, for nobody else can
 * @throws {ContractsError} `NO_ACCOUNT` when the account cannot sign typed data; `ARGUMENT_INVALID` when it is not the issuer.
 * @example
 * const signed = await signPermit({ account, deployment, permit })
 */
export async function signPermit(args: PermitPlace & { readonly account: Account }): Promise<SignedPermit> {
  const { account, deployment, permit } = args
  if (account.signTypedData === undefined) {
    throw new ContractsError('NO_ACCOUNT', 'signPermit', 'this account cannot sign here: use a local account')
  }
  if (account.address.toLowerCase() !== permit.issuer.toLowerCase()) {
    throw new ContractsError('ARGUMENT_INVALID', 'signPermit', 'the account is not the issuer of the permit')
  }
  const signature = await account.signTypedData(permitTypedData(args))
  return { chainId: deployment.chainId, permissions: deployment.permissions, permit, signature }
}
