import type { JsonValue } from '@sealpool/sandbox'

/** Deepest nesting that is looked into; readers refuse deeper documents. */
const deepest = 64
/** A name as exports have them. Anything else may itself be somebody's address or number. */
const plainName = /^[\p{L}_][\p{L}_ -]{0,40}[\p{L}\p{N}_]{0,4}$/u

/**
 * All texts of a record with the names of their fields.
 *
 * @param record as a reader gives it
 * @returns names from the top with points between them, lists without numbers, and the text; a name that could be a value is `…`
 */
export function* fieldTexts(
  record: JsonValue,
): Generator<readonly [field: string, text: string], void, undefined> {
  yield* textsIn(record, '', 0)
}

function* textsIn(
  value: JsonValue,
  path: string,
  depth: number,
): Generator<readonly [string, string], void, undefined> {
  if (typeof value === 'string') yield [path === '' ? '…' : path, value]
  else if (typeof value !== 'object' || value === null || depth > deepest) return
  else if (Array.isArray(value)) for (const one of value) yield* textsIn(one, path, depth + 1)
  else
    for (const [name, member] of Object.entries(value)) {
      const own = plainName.test(name) ? name : '…'
      yield* textsIn(member, path === '' ? own : `${path}.${own}`, depth + 1)
    }
}
