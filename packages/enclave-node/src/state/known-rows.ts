/** What is remembered of a sealed row: enough to replace it and to keep the total. */
export interface KnownRow {
  readonly version: number
  readonly weight: bigint
}

/** Known rows by table and key. */
export type KnownRows = Map<string, Map<string, KnownRow>>

/** Takes a row in, in the place of what was known of it. */
export function rememberRow(known: KnownRows, table: string, key: string, row: KnownRow): void {
  const keys = known.get(table)
  if (keys === undefined) known.set(table, new Map([[key, row]]))
  else keys.set(key, row)
}

/** @returns how many rows are known */
export function countOfRows(known: KnownRows): number {
  return [...known.values()].reduce((sum, keys) => sum + keys.size, 0)
}

/** @returns the rows as a text */
export function knownRowsText(known: KnownRows): string {
  return JSON.stringify(
    [...known].map(([table, keys]) => [
      table,
      [...keys].flatMap(([key, { version, weight }]) => [key, version, weight.toString(16)]),
    ]),
  )
}

/** @param text of {@link knownRowsText}, authenticated: only this node has written it */
export function parseKnownRows(text: string): KnownRows {
  const known: KnownRows = new Map()
  for (const [table, flat] of JSON.parse(text) as readonly (readonly [
    string,
    readonly (string | number)[],
  ])[]) {
    const keys = new Map<string, KnownRow>()
    for (let at = 0; at < flat.length; at += 3)
      keys.set(String(flat[at]), { version: Number(flat[at + 1]), weight: BigInt(`0x${flat[at + 2]}`) })
    known.set(table, keys)
  }
  return known
}
