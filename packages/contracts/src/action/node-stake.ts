import type { Address, Client, Hex } from 'viem'
import { readContract } from 'viem/actions'
import { nodeStakesAbi } from '../abi/NodeStakes.js'
import type { StatementProof } from '../statement/node-statement.js'
import { encodeCall } from './encode-call.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

type OnStakes = WriteOptions & { /** `NodeStakes` of `deployMarket`. */ readonly nodeStakes: Address }

/** A node statement as it was signed, all of it. */
export interface SignedStatement extends StatementProof {
  readonly kind: string
  readonly pool: Address
  readonly subject: Hex
  /** keccak256 of the facts' ABI words (`factsHash`). */
  readonly facts: Hex
}

/** Two statements that a node should never both have signed, in the order in which they are committed to and shown. */
export interface Equivocation {
  readonly first: SignedStatement
  readonly second: SignedStatement
  /** 32 random bytes of the finder's, which nobody else knows before the report. */
  readonly salt: Hex
}

/**
 * Stakes protocol tokens for a node, which the contract must be allowed to take; an announced withdrawal is withdrawn.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `nodeStakes`; `node`, its statement key; `amount`, smallest unit
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NodeEquivocated`, `AmountZero`, `StakeTooLarge`, `ERC20InsufficientAllowance`.
 */
export function stakeForNode(
  client: Client,
  args: OnStakes & { readonly node: Address; readonly amount: bigint },
): Promise<Sent> {
  const data = encodeCall({
    abi: nodeStakesAbi,
    functionName: 'stake',
    args: [args.node, args.amount],
  })
  return send(client, 'NodeStakes.stake', { to: args.nodeStakes, data }, args)
}

/**
 * Announces that the sender's stake will be withdrawn: 21 days after the node's registration ends, in a window of three days.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `nodeStakes`; `node`, its statement key
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NothingStaked`, `NodeEquivocated`.
 */
export function announceStakeWithdrawal(
  client: Client,
  args: OnStakes & { readonly node: Address },
): Promise<Sent> {
  const data = encodeCall({
    abi: nodeStakesAbi,
    functionName: 'announceWithdrawal',
    args: [args.node],
  })
  return send(client, 'NodeStakes.announceWithdrawal', { to: args.nodeStakes, data }, args)
}

/**
 * Withdraws the sender's announced stake.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `nodeStakes`; `node`, its statement key
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `TooEarly`, `AnnouncementLapsed`, `NodeStillRegistered`, `NothingStaked`.
 */
export function withdrawStake(client: Client, args: OnStakes & { readonly node: Address }): Promise<Sent> {
  const data = encodeCall({ abi: nodeStakesAbi, functionName: 'withdraw', args: [args.node] })
  return send(client, 'NodeStakes.withdraw', { to: args.nodeStakes, data }, args)
}

/**
 * Commits to a contradiction without showing it, so that nobody can copy its proof and be paid for it. Show it by
 * {@link reportEquivocation} from the next block on.
 *
 * @param client - a viem client with the finder's account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `nodeStakes`; `reporter`, the account that will report; the two statements and
 * the salt
 * @returns the mined transaction, and the commitment
 * @throws {ContractsError} `NO_ACCOUNT`, `CHAIN_UNREACHABLE`.
 */
export async function commitEquivocation(
  client: Client,
  args: OnStakes & Equivocation & { readonly reporter: Address },
): Promise<Sent & { readonly commitment: Hex }> {
  const commitment = await reading('NodeStakes.commitmentOf', () =>
    readContract(client, {
      address: args.nodeStakes,
      abi: nodeStakesAbi,
      functionName: 'commitmentOf',
      args: [args.reporter, args.first, args.second, args.salt],
    }),
  )
  const data = encodeCall({ abi: nodeStakesAbi, functionName: 'commit', args: [commitment] })
  return { ...(await send(client, 'NodeStakes.commit', { to: args.nodeStakes, data }, args)), commitment }
}

/**
 * Shows a contradiction that the sender committed to, and proves it where nobody has: the node's key is revoked at once, and the
 * sender is due a tenth of what stands for it.
 *
 * @param client - a viem client with the finder's account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `nodeStakes`; the two statements and the salt of the commitment
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NotCommitted`, `ReportTooLate`, `ReportedBefore`, `NotEquivocation`.
 */
export function reportEquivocation(client: Client, args: OnStakes & Equivocation): Promise<Sent> {
  const data = encodeCall({
    abi: nodeStakesAbi,
    functionName: 'report',
    args: [args.first, args.second, args.salt],
  })
  return send(client, 'NodeStakes.report', { to: args.nodeStakes, data }, args)
}

/**
 * Slashes all that stands for a node that was proved to have contradicted itself, a day after the first proof. Anyone.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `nodeStakes`; `node`, its statement key
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `NotEquivocated`, `TooEarly`, `NothingStaked`.
 */
export function slashNode(client: Client, args: OnStakes & { readonly node: Address }): Promise<Sent> {
  const data = encodeCall({ abi: nodeStakesAbi, functionName: 'slash', args: [args.node] })
  return send(client, 'NodeStakes.slash', { to: args.nodeStakes, data }, args)
}
