import { type Address, type Client, encodeAbiParameters, keccak256, parseEventLogs } from 'viem'
import { getChainId, readContract } from 'viem/actions'
import { rewardEpochsAbi } from '../abi/RewardEpochs.js'
import { ContractsError } from '../errors.js'
import { type MerkleTree, merkleTree } from '../merkle/tree.js'
import { encodeCall } from './encode-call.js'
import { logsOf, reading, type Sent, send, type WriteOptions } from './transaction.js'

/** What one account gets of an epoch. */
export interface EpochReward {
  readonly account: Address
  /** In the token's smallest unit. */
  readonly amount: bigint
}

const leafWords = [
  { type: 'uint256' },
  { type: 'address' },
  { type: 'address' },
  { type: 'uint256' },
  { type: 'uint256' },
  { type: 'address' },
  { type: 'uint256' },
] as const

/**
 * The Merkle tree of an epoch's rewards. Its leaves name chain, contract, funder and how many epochs the funder opened before, so
 * that a root pays once, and nobody takes its place by opening another epoch first.
 *
 * @param args - `chainId`; `rewardEpochs`, the contract's address (`deployMarket`); `funder`, who opens the epoch; `number`, how many
 * it opened before; `rewards`, at least one
 * @returns the tree; its proofs count by the place in `rewards`
 * @throws {ContractsError} `ARGUMENT_INVALID` when there is no reward.
 */
export function rewardEpochTree(args: {
  readonly chainId: number
  readonly rewardEpochs: Address
  readonly funder: Address
  readonly number: bigint
  readonly rewards: readonly EpochReward[]
}): MerkleTree {
  const { chainId, rewardEpochs, funder, number } = args
  return merkleTree(
    args.rewards.map(({ account, amount }, index) =>
      keccak256(
        keccak256(
          encodeAbiParameters(leafWords, [
            BigInt(chainId),
            rewardEpochs,
            funder,
            number,
            BigInt(index),
            account,
            amount,
          ]),
        ),
      ),
    ),
  )
}

/**
 * Opens a reward epoch and deposits the sum of its rewards, for which the contract needs an allowance (`approveToken`). What nobody
 * claims goes back to the sender after the end (`close`, by `invoke`).
 *
 * @param client - a viem client with an account, on the contract's chain
 * @param args - besides {@link WriteOptions}: `rewardEpochs`, the contract's address; `token`; `rewards`, at least one
 * @param args.closesAt Last second, unix time, at which a reward can be claimed.
 * @returns the mined transaction; `epoch`, its identifier; `tree`, whose proofs `claimEpochReward` sends: publish the rewards, or
 * nobody can claim
 * @throws {ContractsError} `NO_ACCOUNT`; `ARGUMENT_INVALID` when there is no reward; `REVERTED`: `CloseNotInFuture`, `AmountZero`,
 * `IntakeShort`, `ERC20InsufficientAllowance`.
 */
export async function openRewardEpoch(
  client: Client,
  args: WriteOptions & {
    readonly rewardEpochs: Address
    readonly token: Address
    readonly rewards: readonly EpochReward[]
    readonly closesAt: bigint
  },
): Promise<Sent & { readonly epoch: bigint; readonly tree: MerkleTree }> {
  const place = 'RewardEpochs.open'
  const sender = args.account ?? client.account
  if (sender === undefined) {
    throw new ContractsError('NO_ACCOUNT', place, 'no account: give the client one or pass `account`')
  }
  const { rewardEpochs, rewards } = args
  const funder = typeof sender === 'string' ? sender : sender.address
  const [chainId, number] = await reading(place, () =>
    Promise.all([
      getChainId(client),
      readContract(client, {
        address: rewardEpochs,
        abi: rewardEpochsAbi,
        functionName: 'nextNumber',
        args: [funder],
      }),
    ]),
  )
  const tree = rewardEpochTree({ chainId, rewardEpochs, funder, number, rewards })
  const total = rewards.reduce((sum, { amount }) => sum + amount, 0n)
  const data = encodeCall({
    abi: rewardEpochsAbi,
    functionName: 'open',
    args: [args.token, tree.root, total, args.closesAt],
  })
  const sent = await send(client, place, { to: rewardEpochs, data }, args)
  const [opened] = parseEventLogs({
    abi: rewardEpochsAbi,
    eventName: 'EpochOpened',
    logs: logsOf(sent, rewardEpochs),
  })
  // Another of the sender's own was mined in between: the leaves name the number that it took.
  if (opened === undefined || opened.args.number !== number) {
    throw new ContractsError(
      'NOT_FOUND',
      place,
      `the epoch was opened under another number than ${number}: open one after the other; what it holds returns when it closes`,
    )
  }
  return { ...sent, epoch: opened.args.id, tree }
}

/**
 * Pays one reward of an epoch to its account. Anyone may send it.
 *
 * @param client - a viem client with an account, on the contract's chain
 * @param args - besides {@link WriteOptions}: `rewardEpochs`, the contract's address; `epoch`, its identifier; `tree`, of the published
 * rewards; `index`, the reward's place in them; `reward`
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `ARGUMENT_INVALID` when the tree has no such place; `REVERTED`: `AlreadyClaimed`, `ProofInvalid`, `EpochOver`,
 * `EpochUnknown`, `EpochExhausted`.
 */
export async function claimEpochReward(
  client: Client,
  args: WriteOptions & {
    readonly rewardEpochs: Address
    readonly epoch: bigint
    readonly tree: MerkleTree
    readonly index: number
    readonly reward: EpochReward
  },
): Promise<Sent> {
  const { account, amount } = args.reward
  const data = encodeCall({
    abi: rewardEpochsAbi,
    functionName: 'claim',
    args: [args.epoch, BigInt(args.index), account, amount, args.tree.proof(args.index)],
  })
  return send(client, 'RewardEpochs.claim', { to: args.rewardEpochs, data }, args)
}
