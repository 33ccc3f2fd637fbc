import { type CheckAnswer, fail, pass } from '../verdict/check-list.js'
import type { PoolRules } from './documents.js'
import type { ReceiptBody } from './receipt.js'

/** Refusals for want of access. */
const accessRefusals: readonly string[] = ['ACCESS_DENIED', 'ACCESS_UNKNOWN']

/**
 * Whether each pool's access conditions were met for a job that was released, and not all of them for one that was refused for them. A
 * refusal for another reason need not name them, also where the job had looked at data: none of it was given out.
 * That the node judged them rightly its measured code stands for; block and rules are named so that anyone can judge them again. Another
 * home judges at a block of its own: what it refused for, its signed word says (`refusedBy`), whatever was met before.
 *
 * @param receipt - what the receipt says
 * @param pools - its pools with their rules
 * @returns the answer
 */
export function accessAnswer(
  { outcome, refusal, refusedBy }: Pick<ReceiptBody, 'outcome' | 'refusal' | 'refusedBy'>,
  pools: readonly {
    readonly pool: ReceiptBody['pools'][number]
    readonly rules: Pick<PoolRules, 'access'>
  }[],
): CheckAnswer {
  const conditions = pools.flatMap(({ pool }) => pool.access?.conditions ?? [])
  const met = conditions.every(({ verdict }) => verdict === 'yes')
  if (refusal !== null && accessRefusals.includes(refusal.code)) {
    if (refusedBy?.reason === refusal.code) return pass(`It was not met, says ${refusedBy.node}.`)
    return met
      ? fail('the job was refused for want of access, and every condition was met')
      : pass('It was not met.')
  }
  if (!met) return fail('an access condition was not met, and the job was not refused for it')
  if (outcome === 'refused') return pass('The job was refused for another reason.')
  const open = pools.filter(({ pool, rules }) => {
    const { conditions: judged = [] } = pool.access ?? {}
    return rules.access !== undefined && judged[0]?.rules !== rules.access
  })
  if (open.length > 0) {
    const names = open.map(({ pool }) => pool.name).join(', ')
    return fail(`the receipt does not say that the access condition of ${names} was met`)
  }
  return pass(conditions.length === 0 ? 'No pool has a condition.' : `${conditions.length} met.`)
}
