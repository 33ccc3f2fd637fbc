/**
 * Sends transactions of one account, in the order of their nonces, so that each may be asked for again.
 * @module
 */
import { ContractsError, type Deployment, type Sent, type StatementProof } from '@sealpool/contracts'
import { type Address, digestToHex, type SignedStatement, statementDigest } from '@sealpool/crypto'
import type { Account, Chain, Transport, WalletClient } from 'viem'
import type { SentTransaction } from '../state/withdrawal.js'
import { inOrder } from './in-order.js'

/** What writes to the chain share. */
export interface ChainWriter {
  readonly client: WalletClient<Transport, Chain | undefined, Account>
  readonly deployment: Deployment
  /** The contract that anchors budget heads, if any. */
  readonly anchors: Address | null
  /** Sends in order of nonces. */
  readonly send: <T>(task: () => Promise<T>) => Promise<T>
  /** Sends unless it stands there already; null when it does. */
  readonly once: (
    write: () => Promise<Sent>,
    stands: () => Promise<boolean>,
  ) => Promise<SentTransaction | null>
  /** Sends what anybody may send. @returns false when the chain does not take it now, by one of the named errors */
  readonly unless: (write: () => Promise<Sent>, errors: readonly string[]) => Promise<boolean>
}

/** @returns the ways of writing of one account */
export function chainWriter(options: Pick<ChainWriter, 'client' | 'deployment' | 'anchors'>): ChainWriter {
  const send = inOrder()
  /** Sends in order of nonces; null when one of `done` says that it stands there already. */
  const once = (
    write: () => Promise<Sent>,
    stands: () => Promise<boolean>,
  ): Promise<SentTransaction | null> =>
    send(async () => {
      if (await stands()) return null
      try {
        const { hash, receipt } = await write()
        return { hash, block: receipt.blockNumber }
      } catch (error) {
        // Sent before a stop and mined since, or recorded by another node of the group.
        const already =
          error instanceof ContractsError &&
          (error.revert?.name === 'StatementUsed' || (error.revert !== undefined && (await stands())))
        if (already) return null
        throw error
      }
    })
  /** Sends what anybody may send. @returns false when the chain does not take it now, by one of the named errors */
  const unless = (write: () => Promise<Sent>, errors: readonly string[]): Promise<boolean> =>
    send(async () => {
      try {
        await write()
        return true
      } catch (error) {
        if (error instanceof ContractsError && errors.includes(error.revert?.name ?? '')) return false
        throw error
      }
    })
  return { ...options, send, once, unless }
}

/** A statement as contracts take it. */
export function proofOf(signed: SignedStatement): StatementProof {
  return {
    digest: digestToHex(statementDigest(signed.statement)),
    nonce: BigInt(signed.context.nonce),
    signature: signed.signature,
  }
}
