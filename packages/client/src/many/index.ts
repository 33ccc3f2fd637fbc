/**
 * Many contributions of one owner, some in each transaction.
 *
 * @module
 */
import { platformNow, platformWait } from '../platform.js'
import { type ManyContributed, type ManyOptions, manyWith } from './contribute-many.js'

export type {
  ManyContributed,
  ManyItem,
  ManyOptions,
  ManyOutcome,
  ManyProgress,
  ManyTask,
} from './contribute-many.js'

/**
 * Contributes many exports, at most `perTask` in one transaction. Each is verified for, sealed, stored and signed as by `PoolClient.contribute`; one that
 * fails is told of and sinks no other. With a journal a call that was killed goes on where it stood: what is on chain already is only told of.
 *
 * @param options the world, the owner, the exports
 * @returns what became of each
 * @throws ClientError `OPTION_INVALID`, `NOT_READY`, `JOURNAL_FAILED`, `INSUFFICIENT_FUNDS`; ContractsError of a transaction whose fault is no item's (`NO_ACCOUNT`,
 *   `CHAIN_UNREACHABLE`); the signal's reason
 */
export function contributeMany(options: ManyOptions): Promise<ManyContributed> {
  return manyWith({ now: platformNow, wait: platformWait, ...options })
}
