import {
  type Abi,
  type Address,
  type Client,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  type EncodeFunctionDataParameters,
  encodeFunctionData,
} from 'viem'
import { readContract } from 'viem/actions'
import { reading, type Sent, send, type WriteOptions } from '../action/transaction.js'
import { errorsAbi } from './abi.js'

/** Sends one call: simulated first, waited for, its revert named. */
export function write<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'nonpayable' | 'payable'>,
  const args extends ContractFunctionArgs<abi, 'nonpayable' | 'payable', name>,
>(
  client: Client,
  call: {
    readonly address: Address
    readonly abi: abi
    readonly functionName: name
    readonly args: args
    readonly value?: bigint
  },
  options: WriteOptions,
): Promise<Sent> {
  const { abi, functionName, args, value } = call
  const data = encodeFunctionData({ abi, functionName, args } as unknown as EncodeFunctionDataParameters)
  const target = { to: call.address, data, errors: errorsAbi, ...(value === undefined ? {} : { value }) }
  return send(client, `vana.${functionName}`, target, options)
}

/** Reads one view. */
export function view<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'view'>,
  const args extends ContractFunctionArgs<abi, 'view', name>,
>(
  client: Client,
  call: { readonly address: Address; readonly abi: abi; readonly functionName: name; readonly args: args },
): Promise<ContractFunctionReturnType<abi, 'view', name, args>> {
  return reading(
    `vana.${call.functionName}`,
    () => readContract(client, call as never),
    errorsAbi,
  ) as Promise<ContractFunctionReturnType<abi, 'view', name, args>>
}
