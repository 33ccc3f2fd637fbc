import { type Address, type Client, erc20Abi } from 'viem'
import { readContract } from 'viem/actions'
import { poolTokenAbi } from '../abi/PoolToken.js'
import { encodeCall } from './encode-call.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

/**
 * Balance of a protocol or pool token, smallest unit.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `token`, its address; `account`, the holder
 * @returns the balance at the newest block
 */
export function getBalance(
  client: Client,
  args: { readonly token: Address; readonly account: Address },
): Promise<bigint> {
  return reading('token.balanceOf', () =>
    readContract(client, {
      address: args.token,
      abi: erc20Abi,
      functionName: 'balanceOf',
      args: [args.account],
    }),
  )
}

/**
 * Votes of an account in a pool token now.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `token`, a pool's token; `account`, who votes
 * @returns the votes, smallest unit of the token, at the newest block
 */
export function getVotes(
  client: Client,
  args: { readonly token: Address; readonly account: Address },
): Promise<bigint> {
  return reading('PoolToken.getVotes', () =>
    readContract(client, {
      address: args.token,
      abi: poolTokenAbi,
      functionName: 'getVotes',
      args: [args.account],
    }),
  )
}

/**
 * Tokens that `spender` may take from `owner`.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `token`, its address; `owner`, who holds the tokens; `spender`, who may take them
 * @returns the amount, smallest unit of the token
 */
export function getAllowance(
  client: Client,
  args: { readonly token: Address; readonly owner: Address; readonly spender: Address },
): Promise<bigint> {
  return reading('token.allowance', () =>
    readContract(client, {
      address: args.token,
      abi: erc20Abi,
      functionName: 'allowance',
      args: [args.owner, args.spender],
    }),
  )
}

/**
 * Allows `spender` to take exactly `amount`.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `token`, its address; `spender`; `amount`, smallest unit: it replaces what
 * was allowed before
 * @returns the mined transaction: its hash and receipt
 */
export function approveToken(
  client: Client,
  args: WriteOptions & { readonly token: Address; readonly spender: Address; readonly amount: bigint },
): Promise<Sent> {
  const data = encodeCall({
    abi: erc20Abi,
    functionName: 'approve',
    args: [args.spender, args.amount],
  })
  return send(client, 'token.approve', { to: args.token, data }, args)
}

/**
 * Sends tokens.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `token`, its address; `to`, who gets them; `amount`, smallest unit
 * @returns the mined transaction: its hash and receipt
 */
export function transferToken(
  client: Client,
  args: WriteOptions & { readonly token: Address; readonly to: Address; readonly amount: bigint },
): Promise<Sent> {
  const data = encodeCall({ abi: erc20Abi, functionName: 'transfer', args: [args.to, args.amount] })
  return send(client, 'token.transfer', { to: args.token, data }, args)
}
