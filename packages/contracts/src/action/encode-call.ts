import {
  type Abi,
  BaseError,
  type ContractFunctionName,
  type EncodeFunctionDataParameters,
  encodeFunctionData,
  type Hex,
} from 'viem'
import { ContractsError } from '../errors.js'

/**
 * A call as a contract takes it.
 *
 * @param call - `abi`, `functionName` and `args`, as viem takes them
 * @returns the call's data
 * @throws {ContractsError} `ARGUMENT_INVALID` when an argument is none that the function has: a number out of its range, no address.
 */
export function encodeCall<
  const abi extends Abi | readonly unknown[],
  name extends ContractFunctionName<abi> | undefined = undefined,
>(call: EncodeFunctionDataParameters<abi, name>): Hex {
  try {
    return encodeFunctionData<abi, name>(call)
  } catch (cause) {
    throw argumentInvalid(String(call.functionName), cause)
  }
}

/**
 * What a caller is told of arguments that a function does not take.
 *
 * @param place - the function
 * @param cause - what viem says of them, which everybody would read on the chain
 */
export function argumentInvalid(place: string, cause: unknown): ContractsError {
  const why = cause instanceof BaseError ? cause.shortMessage : 'one is of another type'
  return new ContractsError('ARGUMENT_INVALID', place, `the contract takes no such arguments: ${why}`, {
    cause,
  })
}
