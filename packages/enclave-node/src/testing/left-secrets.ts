/**
 * Looks for a secret in what a node has after a job: its state, row by row, and whatever can be reached from its parts.
 * @module
 */
import { encodeBase64Url } from '@sealpool/crypto'
import type { StateStore } from '../state/state-store.js'

/** @returns whether a secret is there: as bytes, or as hex or base64 in some text */
export async function stillHas(
  secret: Uint8Array,
  { store, parts }: { readonly store: StateStore; readonly parts: readonly unknown[] },
): Promise<boolean> {
  const bytes = Buffer.from(secret)
  const texts = [bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, ''), encodeBase64Url(secret)]
  const inText = (text: string) => texts.some((one) => text.includes(one))
  const seen = new Set<object>()
  const inside = (value: unknown): boolean => {
    if (typeof value === 'string') return inText(value)
    if (typeof value !== 'object' || value === null || seen.has(value)) return false
    seen.add(value)
    if (value instanceof Uint8Array) return Buffer.from(value).includes(bytes)
    const members = value instanceof Map || value instanceof Set ? [...value] : Object.values(value)
    return members.some(inside)
  }
  if (inside(parts)) return true
  const tables = await store.query(
    `select tablename::text as name from pg_tables where schemaname = 'public'`,
  )
  for (const { name } of tables) {
    const rows = await store.query(`select row_to_json(t)::text as row from "${String(name)}" t`)
    if (rows.some(({ row }) => inText(String(row)))) return true
  }
  return false
}
