import type { Address, Hex } from '@sealpool/crypto'
import type { Client } from 'viem'
import { getChainId, readContract } from 'viem/actions'
import { ClientError } from '../errors.js'

/** Asks a contract wallet whether it signed a hash (ERC-1271). */
export type VerifyContractSignature = (asked: {
  /** The wallet. */
  readonly address: Address
  /** Chain on which the wallet is asked. */
  readonly chainId: number
  /** Hash of the typed data. */
  readonly hash: Hex
  readonly signature: Hex
}) => Promise<boolean>

const walletAbi = [
  {
    type: 'function',
    name: 'isValidSignature',
    stateMutability: 'view',
    inputs: [
      { name: 'hash', type: 'bytes32' },
      { name: 'signature', type: 'bytes' },
    ],
    outputs: [{ type: 'bytes4' }],
  },
] as const

/** What a wallet answers that says yes: the function's own selector. */
const yes = '0x1626ba7e'

/**
 * Verifies signatures of contract wallets by asking them (ERC-1271) through a chain client. A wallet that is not deployed yet has nobody who
 * answers, and a wallet that reverts has said no.
 *
 * @param chain a viem client on the chain for which grants are signed; whoever answers its requests is believed
 * @returns the port; it throws ClientError `WRONG_CHAIN` and `CHAIN_READ_FAILED`
 */
export function contractSignature(chain: Client): VerifyContractSignature {
  return async ({ address, chainId, hash, signature }) => {
    const connected = await getChainId(chain).catch((cause: unknown) => {
      throw new ClientError('CHAIN_READ_FAILED', 'contractSignature', 'the chain does not answer', { cause })
    })
    if (connected !== chainId)
      throw new ClientError('WRONG_CHAIN', 'contractSignature', 'the client is connected to another chain')
    try {
      const args = [hash, signature] as const
      return (
        (await readContract(chain, { address, abi: walletAbi, functionName: 'isValidSignature', args })) ===
        yes
      )
    } catch (cause) {
      if (saysNo(cause)) return false
      throw new ClientError('CHAIN_READ_FAILED', 'contractSignature', 'the wallet could not be asked', {
        cause,
      })
    }
  }
}

/** A revert and an answer of no bytes are the wallet's word; anything else is the endpoint's. */
function saysNo(error: unknown): boolean {
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    if (
      ['ContractFunctionRevertedError', 'ContractFunctionZeroDataError', 'AbiDecodingZeroDataError'].includes(
        one.name,
      )
    )
      return true
  return false
}
