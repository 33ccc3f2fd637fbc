/** Elements from which on lists beside each other, lists in a list and objects under names of their own are a table. */
export const leastRows = 8

/** A row of a table: what stands in each of its columns. */
export type Row = ReadonlyMap<string, unknown>

/** What a value of a file has of a table. */
export interface Table {
  readonly rows: readonly Row[]
  /** What is no part of the rows, with its name where it has one. */
  readonly rest: readonly (readonly [string | undefined, unknown])[]
}

/** @param value a list or an object of a JSON document or of a table @returns the table that it is; no rows where it is none */
export function tableIn(value: object): Table {
  return Array.isArray(value) ? tableInList(value) : tableInObject(entriesOf(value))
}

function tableInList(list: readonly unknown[]): Table {
  const areRows = list.length >= leastRows && list.every((one) => isListOfValues(one) && one.length > 1)
  const rows: Row[] = []
  const rest: (readonly [undefined, unknown])[] = []
  for (const one of list) {
    if (isObject(one)) rows.push(new Map(entriesOf(one)))
    else if (areRows && Array.isArray(one))
      rows.push(new Map(one.map((cell: unknown, at) => [`${at}`, cell])))
    else rest.push([undefined, one])
  }
  return { rows, rest }
}

function tableInObject(entries: readonly (readonly [string, unknown])[]): Table {
  const named = entries.filter(([, member]) => isObject(member))
  if (named.length >= leastRows) {
    const rows = named.map(([name, member]) => new Map([['', name], ...entriesOf(member as object)]))
    return { rows, rest: entries.filter(([, member]) => !isObject(member)) }
  }
  const byLength = new Map<number, (readonly [string, readonly unknown[]])[]>()
  for (const [name, member] of entries) {
    if (!isListOfValues(member) || member.length < leastRows) continue
    const columns = byLength.get(member.length) ?? []
    byLength.set(member.length, columns)
    columns.push([name, member])
  }
  const [columns = []] = [...byLength.values()].sort((a, b) => b.length - a.length)
  if (columns.length < 2) return { rows: [], rest: entries }
  const taken = new Set(columns.map(([name]) => name))
  const length = columns[0]?.[1].length ?? 0
  return {
    rows: Array.from({ length }, (_, at) => new Map(columns.map(([name, list]) => [name, list[at]]))),
    rest: entries.filter(([name]) => !taken.has(name)),
  }
}

/** @returns whether it is an object, and no list */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfValues(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null)
}

/** @returns the members of an object or a map by name */
export function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  return value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value)
}
