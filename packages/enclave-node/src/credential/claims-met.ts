import type { ClaimCondition } from '@sealpool/contracts'
import type { JsonObject, JsonValue } from '@sealpool/crypto'

/**
 * @param claims of a credential, verified
 * @param wanted what they must be
 * @returns whether every condition is met, each by one of the values to which its path leads; where it leads nowhere it is not
 */
export function claimsMet(claims: JsonObject, wanted: readonly ClaimCondition[]): boolean {
  return wanted.every((condition) =>
    valuesAt(claims, condition.path).some((value) => isMet(value, condition)),
  )
}

function valuesAt(claims: JsonObject, path: ClaimCondition['path']): readonly JsonValue[] {
  let values: readonly JsonValue[] = [claims]
  for (const step of path) values = values.flatMap((value) => inside(value, step))
  return values
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

function isMet(value: JsonValue, condition: ClaimCondition): boolean {
  if ('oneOf' in condition) return condition.oneOf.some((one) => one === value)
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = condition.within
  return typeof value === 'number' && from <= value && value <= to
}
