import type { Account, Address, Client, Hex } from 'viem'
import { getEip712Domain, readContract } from 'viem/actions'
import { poolGovernorAbi } from '../abi/PoolGovernor.js'
import { reading } from '../action/transaction.js'
import { ContractsError } from '../errors.js'

/** How to vote. */
export type Support = 'against' | 'for' | 'abstain'

/** The governor's numbers for the ways to vote. */
export const supportValues = { against: 0, for: 1, abstain: 2 } as const

/** A vote with its voter's signature: anyone may send it. */
export interface SignedBallot {
  readonly proposalId: bigint
  readonly support: Support
  readonly voter: Address
  readonly signature: Hex
}

/** EIP-712 types of a ballot, as OpenZeppelin's Governor defines them. */
export const ballotTypes = {
  Ballot: [
    { name: 'proposalId', type: 'uint256' },
    { name: 'support', type: 'uint8' },
    { name: 'voter', type: 'address' },
    { name: 'nonce', type: 'uint256' },
  ],
} as const

/** What every ballot of one governor shares; read it once for many voters. */
export interface GovernorDomain {
  readonly name: string
  readonly version: string
  readonly chainId: number
  readonly verifyingContract: Address
}

/**
 * Reads the EIP-712 domain under which a governor takes signed ballots.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `governor`, the pool's
 * @returns name, version, chain and address: the `domain` of {@link signBallot}
 * @throws {ContractsError} `CHAIN_UNREACHABLE`.
 */
export async function getGovernorDomain(
  client: Client,
  args: { readonly governor: Address },
): Promise<GovernorDomain> {
  const { domain } = await reading('PoolGovernor.eip712Domain', () =>
    getEip712Domain(client, { address: args.governor }),
  )
  return {
    name: domain.name,
    version: domain.version,
    chainId: Number(domain.chainId),
    verifyingContract: domain.verifyingContract,
  }
}

/**
 * How many ballots of this voter the governor has taken: the nonce of the next one.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `governor`, the pool's; `voter`, who signs
 * @returns the nonce, 0 for the first ballot
 */
export function getBallotNonce(
  client: Client,
  args: { readonly governor: Address; readonly voter: Address },
): Promise<bigint> {
  return reading('PoolGovernor.nonces', () =>
    readContract(client, {
      address: args.governor,
      abi: poolGovernorAbi,
      functionName: 'nonces',
      args: [args.voter],
    }),
  )
}

/**
 * Signs a vote, so that somebody else can send it and pay for it.
 *
 * @param args - `account`, the voter's, local; `domain`, see {@link getGovernorDomain}; `proposalId`; `support`, how to
 * vote
 * @param args.nonce see {@link getBallotNonce}
 * @returns the ballot with its signature: `voteSigned` sends it
 * @throws {ContractsError} `NO_ACCOUNT` when the account cannot sign typed data.
 */
export async function signBallot(args: {
  readonly account: Account
  readonly domain: GovernorDomain
  readonly proposalId: bigint
  readonly support: Support
  readonly nonce: bigint
}): Promise<SignedBallot> {
  const { account, domain, proposalId, support, nonce } = args
  if (account.signTypedData === undefined) {
    throw new ContractsError('NO_ACCOUNT', 'signBallot', 'this account cannot sign here: use a local account')
  }
  const voter = account.address
  const signature = await account.signTypedData({
    domain,
    types: ballotTypes,
    primaryType: 'Ballot',
    message: { proposalId, support: supportValues[support], voter, nonce },
  })
  return { proposalId, support, voter, signature }
}
