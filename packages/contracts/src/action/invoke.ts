import type {
  Abi,
  Address,
  Client,
  ContractFunctionArgs,
  ContractFunctionName,
  ContractFunctionReturnType,
  EncodeFunctionDataParameters,
} from 'viem'
import { readContract } from 'viem/actions'
import { encodeCall } from './encode-call.js'
import { type Finality, finalBlock } from './finality.js'
import { reading, type Sent, send, type WriteOptions } from './transaction.js'

/**
 * Calls any function of any of the contracts: simulated, sent, waited for, its revert decoded with advice. For what has no
 * action of its own.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param call - besides {@link WriteOptions}: `address`, `abi`, `functionName` and `args` of the call, as viem takes them;
 * no value goes along
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `ARGUMENT_INVALID`, `REVERTED`, `NO_ACCOUNT`, `TRANSACTION_TIMEOUT`, ...
 * @example
 * await invoke(client, { address: pool, abi: poolAbi, functionName: 'narrow', args: [restriction] })
 */
export async function invoke<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'nonpayable'>,
  const args extends ContractFunctionArgs<abi, 'nonpayable', name>,
>(
  client: Client,
  call: WriteOptions & {
    readonly address: Address
    readonly abi: abi
    readonly functionName: name
    readonly args: args
  },
): Promise<Sent> {
  const { abi, functionName, args } = call
  const data = encodeCall({ abi, functionName, args } as unknown as EncodeFunctionDataParameters)
  return send(client, functionName, { to: call.address, data }, call)
}

/**
 * Reads any view of any of the contracts as it stood in a block that is final enough, so that a reorganisation does not
 * change what was read.
 *
 * @param client - a viem client on the deployment's chain
 * @param call - `address`, `abi`, `functionName` and `args` of the view, as viem takes them; `finality`, which block it is
 * read in
 * @param call.finality Default: the newest block.
 * @returns what the view answers, decoded by the ABI
 * @throws {ContractsError} `ARGUMENT_INVALID`, `REVERTED`, `CHAIN_UNREACHABLE`.
 */
export async function inspect<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'view' | 'pure'>,
  const args extends ContractFunctionArgs<abi, 'view' | 'pure', name>,
>(
  client: Client,
  call: {
    readonly address: Address
    readonly abi: abi
    readonly functionName: name
    readonly args: args
    readonly finality?: Finality
  },
): Promise<ContractFunctionReturnType<abi, 'view' | 'pure', name, args>> {
  const { address, abi, functionName, args } = call
  const blockNumber = call.finality === undefined ? undefined : await finalBlock(client, call.finality)
  const request = { address, abi, functionName, args, ...(blockNumber === undefined ? {} : { blockNumber }) }
  return reading(functionName, () => readContract(client, request as never)) as Promise<
    ContractFunctionReturnType<abi, 'view' | 'pure', name, args>
  >
}
