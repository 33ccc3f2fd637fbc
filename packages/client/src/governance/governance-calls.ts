import {
  type Deployment,
  execute,
  getProposalState,
  getTally,
  invoke,
  type Proposal,
  type ProposalState,
  proposeApproval,
  queue,
  type Sent,
  type Support,
  type Terms,
  vote,
  type WriteOptions,
} from '@sealpool/contracts'
import { type Address, type Digest, digestToHex } from '@sealpool/crypto'
import type { Client } from 'viem'
import { consentAbi } from './consent-abi.js'

/** What a pool's members call. */
export interface GovernanceCalls {
  /**
   * Proposes that the pool grants a job on terms; members vote on it.
   *
   * @throws ContractsError `NOT_FOUND`, `REVERTED`
   */
  grant(
    jobId: bigint,
    terms: Terms,
    options?: WriteOptions & { /** Added to the description. */ readonly note?: string },
  ): Promise<Sent & Proposal>
  /** Votes with the sender's pool tokens, as held at the proposal's snapshot. @throws ContractsError */
  vote(
    proposal: Pick<Proposal, 'governor' | 'proposalId'>,
    support: Support,
    options?: WriteOptions,
  ): Promise<Sent>
  /** Where a proposal stands. @throws ContractsError */
  proposal(proposal: Pick<Proposal, 'governor' | 'proposalId'>): Promise<{
    readonly state: ProposalState
    /** In the smallest unit of the pool token. */
    readonly votes: { readonly against: bigint; readonly for: bigint; readonly abstain: bigint }
  }>
  /**
   * Takes a passed proposal one step further: into the timelock, or after its delay out of it. Anyone may send it.
   *
   * @throws ContractsError `REVERTED` (`GovernorUnexpectedProposalState`, `TimelockUnexpectedOperationState`)
   */
  carryOut(proposal: Proposal, options?: WriteOptions): Promise<Sent>
  /** A contributor consents to exactly this digest, where the pool asks for owners' consent. @throws ContractsError */
  consent(digest: Digest, options?: WriteOptions): Promise<Sent>
  /** Takes a consent back. @throws ContractsError */
  withdrawConsent(digest: Digest, options?: WriteOptions): Promise<Sent>
}

/** A member's calls on one pool. */
export function governanceCalls(context: {
  readonly chain: Client
  readonly deployment: Deployment
  readonly pool: Address
}): GovernanceCalls {
  const { chain, deployment, pool } = context
  const approvals = (functionName: 'consent' | 'withdrawConsent', digest: Digest, options: WriteOptions) =>
    invoke(chain, {
      ...options,
      address: deployment.approvals,
      abi: consentAbi,
      functionName,
      args: [pool, digestToHex(digest)],
    })
  return {
    grant: (jobId, terms, options = {}) =>
      proposeApproval(chain, { ...options, deployment, jobId, pool, terms }),
    vote: (proposal, support, options = {}) => vote(chain, { ...options, proposal, support }),
    async proposal(proposal) {
      const [state, votes] = await Promise.all([
        getProposalState(chain, { proposal }),
        getTally(chain, { proposal }),
      ])
      return { state, votes }
    },
    async carryOut(proposal, options = {}) {
      const state = await getProposalState(chain, { proposal })
      return state === 'Queued'
        ? execute(chain, { ...options, proposal })
        : queue(chain, { ...options, proposal })
    },
    consent: (digest, options = {}) => approvals('consent', digest, options),
    withdrawConsent: (digest, options = {}) => approvals('withdrawConsent', digest, options),
  }
}
