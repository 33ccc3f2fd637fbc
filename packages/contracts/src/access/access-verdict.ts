/**
 * What a condition comes to when its leaves are known: logic of three values (Kleene's), since a contract may refuse to answer.
 * @module
 */
import type { AccessCondition, AccessLeaf } from './access-condition.js'

/** `unknown`: what it hangs on could not be told. It never lets anybody in, under `not` neither. */
export type AccessVerdict = 'yes' | 'no' | 'unknown'

/** A leaf and where it stands, for example `any[1].not.erc20`. */
export interface PlacedLeaf {
  readonly place: string
  readonly leaf: AccessLeaf
}

/**
 * What a condition hangs on, part by part.
 *
 * @param condition - parsed
 * @param place - what stands before the places of its leaves; default: nothing
 * @returns the leaves, in the order in which they are written
 */
export function leavesOf(condition: AccessCondition, place = ''): readonly PlacedLeaf[] {
  const dot = place === '' ? '' : `${place}.`
  if ('all' in condition) return condition.all.flatMap((one, index) => leavesOf(one, `${dot}all[${index}]`))
  if ('any' in condition) return condition.any.flatMap((one, index) => leavesOf(one, `${dot}any[${index}]`))
  if ('not' in condition) return leavesOf(condition.not, `${dot}not`)
  return [{ place: `${dot}${Object.keys(condition)[0]}`, leaf: condition }]
}

/**
 * @param condition - parsed
 * @param verdictOf - the verdict of each of its leaves
 * @returns what they come to
 */
export function judge(
  condition: AccessCondition,
  verdictOf: (leaf: AccessLeaf) => AccessVerdict,
): AccessVerdict {
  if ('all' in condition) {
    return decisive(
      'no',
      'yes',
      condition.all.map((one) => judge(one, verdictOf)),
    )
  }
  if ('any' in condition) {
    return decisive(
      'yes',
      'no',
      condition.any.map((one) => judge(one, verdictOf)),
    )
  }
  if (!('not' in condition)) return verdictOf(condition)
  const verdict = judge(condition.not, verdictOf)
  if (verdict === 'unknown') return verdict
  return verdict === 'yes' ? 'no' : 'yes'
}

/** A leaf that keeps a condition from being met. */
export interface UnmetLeaf {
  /** Where it stands in the condition, for example `all[1].erc20`. */
  readonly place: string
  readonly verdict: AccessVerdict
  /** What it would have to be. */
  readonly wanted: 'yes' | 'no'
}

/**
 * @param condition - parsed
 * @param verdictOf - the verdict of each of its leaves
 * @returns the leaves that keep it from being met; none when it is met. Of `any` one of those named is enough
 */
export function unmetLeaves(
  condition: AccessCondition,
  verdictOf: (leaf: AccessLeaf) => AccessVerdict,
): readonly UnmetLeaf[] {
  const places = new Map(leavesOf(condition).map(({ place, leaf }) => [leaf, place]))
  const look = (part: AccessCondition, wanted: 'yes' | 'no'): readonly UnmetLeaf[] => {
    const verdict = judge(part, verdictOf)
    if (verdict === wanted) return []
    if ('all' in part) return part.all.flatMap((one) => look(one, wanted))
    if ('any' in part) return part.any.flatMap((one) => look(one, wanted))
    if ('not' in part) return look(part.not, wanted === 'yes' ? 'no' : 'yes')
    return [{ place: places.get(part) ?? '', verdict, wanted }]
  }
  return look(condition, 'yes')
}

/** One decisive part settles it, whatever the others are; else one that is unknown leaves it open. */
function decisive(
  one: AccessVerdict,
  otherwise: AccessVerdict,
  parts: readonly AccessVerdict[],
): AccessVerdict {
  if (parts.includes(one)) return one
  return parts.includes('unknown') ? 'unknown' : otherwise
}
