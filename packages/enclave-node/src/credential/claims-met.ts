import { type ClaimCondition, claimHolds } from '@sealpool/contracts'
import type { JsonObject, JsonValue } from '@sealpool/crypto'

/**
 * @param claims of a credential, verified
 * @param wanted what they must be
 * @param shortened lists in the claims from which the holder left items out: no place of them counts, since he would choose what stands there
 * @returns whether every condition is met, each by one of the values to which its path leads; where it leads nowhere it is not
 */
export function claimsMet(
  claims: JsonObject,
  wanted: readonly ClaimCondition[],
  shortened: ReadonlySet<JsonValue>,
): boolean {
  return wanted.every((condition) => {
    let values: readonly JsonValue[] = [claims]
    for (const step of condition.path) {
      if (typeof step === 'number') values = values.filter((value) => !shortened.has(value))
      values = values.flatMap((value) => inside(value, step))
    }
    return values.some((value) => claimHolds(value, condition))
  })
}

function inside(value: JsonValue, step: string | number | null): readonly JsonValue[] {
  if (Array.isArray(value)) {
    const list: readonly JsonValue[] = value
    if (step === null) return list
    return typeof step === 'number' ? list.slice(step, step + 1) : []
  }
  if (typeof value !== 'object' || value === null || typeof step !== 'string') return []
  const member = Object.hasOwn(value, step) ? (value as JsonObject)[step] : undefined
  return member === undefined ? [] : [member]
}
