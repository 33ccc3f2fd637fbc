import { type ContributionEvent, dataRegistryAbi, getContributions, inspect } from '@sealpool/contracts'
import { type Hash, isAddressEqual } from 'viem'
import { type ContributeContext, storedOf } from '../contribute/contribute.js'
import type { JournalEntry } from '../contribute/contribution-journal.js'
import { ClientError } from '../errors.js'

/** Where a contribution stands, or undefined while its number is unused. @throws ClientError `NONCE_TAKEN` */
export type Find = (entry: JournalEntry) => Promise<{ readonly id: bigint; readonly hash: Hash } | undefined>

/**
 * Looks contributions up on chain; the events are read once for many.
 *
 * @param context chain, contracts and pool
 * @returns the question, which throws ClientError `NONCE_TAKEN`; ContractsError `CHAIN_UNREACHABLE`
 */
export function chainLookup({ chain, deployment, pool }: ContributeContext): Find {
  let events: readonly ContributionEvent[] = []
  let readFrom: bigint | undefined
  return async (entry) => {
    const { owner, nonce, fromBlock } = entry
    const used = await inspect(chain, {
      address: deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'nonceUsed',
      args: [owner, nonce],
    })
    if (!used) return undefined
    const { blobDigest } = storedOf(entry).contribution
    const known = () =>
      events.find(
        (event) =>
          isAddressEqual(event.owner, owner) && event.nonce === nonce && event.blobDigest === blobDigest,
      )
    if (known() === undefined) {
      readFrom = readFrom === undefined || fromBlock < readFrom ? fromBlock : readFrom
      events = await getContributions(chain, { deployment, pool, fromBlock: readFrom })
    }
    const own = known()
    if (own !== undefined) return { id: own.id, hash: own.transactionHash }
    const message = 'the registry has something else under this number; choose another one'
    throw new ClientError('NONCE_TAKEN', 'nonce', message)
  }
}
