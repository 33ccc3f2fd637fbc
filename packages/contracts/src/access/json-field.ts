/**
 * Reads the fields of JSON of unknown origin, with the place of what is wrong.
 * @module
 */
import { ContractsError } from '../errors.js'

/** @returns the error for what is wrong at a place */
export function invalid(place: string, message: string): ContractsError {
  return new ContractsError('ARGUMENT_INVALID', place, message)
}

/** @returns an object that is no list */
export function object(json: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(place, 'expected an object')
  }
  return json as Record<string, unknown>
}

/** @returns the fields of an object that has all that are needed and none that is not known */
export function fields<Name extends string>(
  json: unknown,
  place: string,
  needed: readonly Name[],
  optional: readonly Name[] = [],
): Readonly<Partial<Record<Name, unknown>>> {
  const given = object(json, place)
  const known: readonly string[] = [...needed, ...optional]
  if (Object.keys(given).some((name) => !known.includes(name))) {
    throw invalid(place, `a field is not known; expected ${known.join(', ')}`)
  }
  const missing = needed.find((name) => !Object.hasOwn(given, name))
  if (missing !== undefined) throw invalid(`${place}.${missing}`, 'it is missing')
  const found: Partial<Record<Name, unknown>> = {}
  for (const name of [...needed, ...optional]) if (Object.hasOwn(given, name)) found[name] = given[name]
  return found
}

/** @returns the items of a list that has one at least */
export function items(json: unknown, place: string, maximum: number): readonly unknown[] {
  // Nothing of nothing would be true for everybody, or for nobody: it is a mistake.
  if (!Array.isArray(json) || json.length === 0 || json.length > maximum) {
    throw invalid(place, `expected a list of 1 to ${maximum}`)
  }
  return json
}

/** @returns unix seconds */
export function seconds(json: unknown, place: string): number {
  if (!Number.isSafeInteger(json) || (json as number) < 0) throw invalid(place, 'expected unix seconds')
  return json as number
}
