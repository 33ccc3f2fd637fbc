import { canonicalize, type JsonObject, type JsonValue } from '@sealpool/crypto'
import type { ResultView } from './result-view.js'

/**
 * The part of an answer that a view shows. Of a table's columns the rows come in the order of their own canonical JSON: the answer's order may tell
 * of columns that the view leaves out. Notes, charges and whatever else an answer has beside its rows are in the whole alone.
 *
 * @param answer - of a query (`columns`, `rows`, `intervals`) or a computation (`coefficients`, or `outputs` of a program)
 * @param view - which part
 * @returns the part; undefined where the answer has no rows, or not exactly one column of each name, and for `receipt`
 */
export function viewOf(answer: JsonValue, view: ResultView): JsonValue | undefined {
  if (view.kind === 'whole') return answer
  if (view.kind === 'receipt' || !isObject(answer)) return undefined
  const { rows, coefficients, outputs } = answer
  const lines = rows ?? coefficients ?? outputs
  if (!Array.isArray(lines)) return undefined
  if (view.kind === 'count') return { count: lines.length }
  return rows === undefined
    ? fieldsOf(coefficients === undefined ? 'outputs' : 'coefficients', lines, view.columns)
    : columnsOf(answer, view.columns)
}

function fieldsOf(
  kind: 'coefficients' | 'outputs',
  lines: readonly JsonValue[],
  names: readonly string[],
): JsonValue | undefined {
  const parts = lines.flatMap((line) =>
    isObject(line) && names.every((name) => Object.hasOwn(line, name))
      ? [Object.fromEntries(names.map((name) => [name, line[name] ?? null]))]
      : [],
  )
  return parts.length === lines.length ? { [kind]: inOwnOrder(parts) } : undefined
}

function columnsOf(
  { columns, rows, intervals }: JsonObject,
  names: readonly string[],
): JsonValue | undefined {
  if (!Array.isArray(columns) || !Array.isArray(rows) || !Array.isArray(intervals)) return undefined
  const places: number[] = []
  for (const name of names) {
    const found = columns.flatMap((column: JsonValue, index) =>
      isObject(column) && column['name'] === name ? [index] : [],
    )
    if (found.length !== 1) return undefined
    places.push(...found)
  }
  const pick = (line: JsonValue | undefined): JsonValue[] =>
    places.map((place) => (Array.isArray(line) ? ((line[place] as JsonValue | undefined) ?? null) : null))
  const lines = inOwnOrder(
    rows.map((row: JsonValue, index): [JsonValue[], JsonValue[]] => [pick(row), pick(intervals[index])]),
  )
  return {
    columns: places.map((place) => columns[place] as JsonValue),
    rows: lines.map(([row]) => row),
    intervals: lines.map(([, interval]) => interval),
  }
}

function inOwnOrder<Line extends JsonValue>(lines: readonly Line[]): Line[] {
  return lines
    .map((line) => ({ line, text: canonicalize(line) }))
    .sort((one, other) => (one.text < other.text ? -1 : one.text > other.text ? 1 : 0))
    .map(({ line }) => line)
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
