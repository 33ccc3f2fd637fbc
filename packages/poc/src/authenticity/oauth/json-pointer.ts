import type { JsonValue } from '@sealpool/crypto'
import { isObject } from '../json-object.js'

/** A JSON Pointer as text (RFC 6901). */
export const pointerPattern = /^(?:\/(?:[^~/]|~[01])*)*$/

/** The names on the way of a pointer. */
function steps(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/**
 * The value to which a pointer leads.
 *
 * @param value parsed JSON
 * @param pointer of the form of {@link pointerPattern}
 * @returns the value, or undefined when there is none
 */
export function valueAt(value: JsonValue, pointer: string): JsonValue | undefined {
  if (!pointerPattern.test(pointer)) return undefined
  let at: JsonValue | undefined = value
  for (const step of steps(pointer)) {
    if (Array.isArray(at)) at = /^(?:0|[1-9]\d*)$/.test(step) ? at[Number(step)] : undefined
    else at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined
    if (at === undefined) return undefined
  }
  return at
}

/**
 * Whether all that a value says lies under some pointers. An empty object or list says something too.
 *
 * @param value parsed JSON, of bounded depth
 * @param pointers what is covered
 */
export function isCovered(value: JsonValue, pointers: readonly string[]): boolean {
  const covered = pointers.map(steps)
  const walk = (one: JsonValue, left: readonly (readonly string[])[]): boolean => {
    if (left.some((rest) => rest.length === 0)) return true
    if (typeof one !== 'object' || one === null || left.length === 0) return false
    const members = Object.entries(one)
    return (
      members.length > 0 &&
      members.every(([name, member]) =>
        walk(
          member,
          left.filter(([first]) => first === name).map((rest) => rest.slice(1)),
        ),
      )
    )
  }
  return walk(value, covered)
}
