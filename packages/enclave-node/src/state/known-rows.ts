/**
 * What the node remembers of the rows that are sealed: enough to replace each, and to keep the total of all.
 * @module
 */

/** What is remembered of a sealed row. */
export interface KnownRow {
  /** Number of the commit that wrote it. */
  readonly version: number
  readonly weight: bigint
}

/** Known rows by table and key. */
export type KnownRows = Map<string, Map<string, KnownRow>>

const modulus = 1n << 256n

/** Takes a row in, in the place of what was known of it. */
export function rememberRow(known: KnownRows, table: string, key: string, row: KnownRow): void {
  const keys = known.get(table)
  if (keys === undefined) known.set(table, new Map([[key, row]]))
  else keys.set(key, row)
}

/** @returns how many rows are known */
export function countOfRows(known: KnownRows): number {
  let count = 0
  for (const keys of known.values()) count += keys.size
  return count
}

/** @returns what all rows come to */
export function totalOfRows(known: KnownRows): bigint {
  let total = 0n
  for (const keys of known.values()) for (const { weight } of keys.values()) total += weight
  return total % modulus
}

/** @returns the total with a row in it, or without one */
export function totalWith(total: bigint, change: bigint): bigint {
  return (((total + change) % modulus) + modulus) % modulus
}

/** @returns what a head says of so many rows that come to a total */
export function headText(count: number, total: bigint): string {
  return `${count} ${total.toString(16)}`
}

/** @returns the rows as bytes */
export function knownRowsBytes(known: KnownRows): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify(
      [...known].map(([table, keys]) => [
        table,
        [...keys].flatMap(([key, { version, weight }]) => [key, version, weight.toString(16)]),
      ]),
    ),
  )
}

/** @param bytes of {@link knownRowsBytes}, authenticated: only this node has written them */
export function parseKnownRows(bytes: Uint8Array): KnownRows {
  const known: KnownRows = new Map()
  const tables = JSON.parse(new TextDecoder().decode(bytes)) as readonly (readonly [
    string,
    readonly (string | number)[],
  ])[]
  for (const [table, flat] of tables) {
    const keys = new Map<string, KnownRow>()
    for (let at = 0; at < flat.length; at += 3)
      keys.set(String(flat[at]), { version: Number(flat[at + 1]), weight: BigInt(`0x${flat[at + 2]}`) })
    known.set(table, keys)
  }
  return known
}
