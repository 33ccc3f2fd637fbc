import type { ContributionStatus } from '../node-api/messages.js'

/**
 * Where a contribution or a job stands in the node, as people read it.
 * @returns rows of a table: the state with its reason, and what the reason means where the node says it
 */
export function nodeSays({
  state,
  reason,
  reasonText,
}: Pick<ContributionStatus, 'state' | 'reason' | 'reasonText'>): readonly (readonly string[])[] {
  return [
    ['node says', reason === null ? state : `${state}: ${reason}`],
    ...(reasonText === null ? [] : [['', reasonText]]),
  ]
}
