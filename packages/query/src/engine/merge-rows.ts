import { QueryError } from '../errors.js'
import type { Row } from './engine.js'

/**
 * Adds up the partial rows of shards. All rows of a contributor are on one shard, so bounding is done there, and counts
 * and sums of integers add up exactly. Columns whose name begins with `s` are added, the others say which group.
 *
 * @throws QueryError `ENGINE_ANSWER_INVALID` for a sum that is no integer
 */
export function mergeRows(parts: readonly (readonly Row[])[]): readonly Row[] {
  const merged = new Map<string, { readonly keys: Row; readonly sums: Map<string, bigint> }>()
  for (const row of parts.flat()) {
    const keys = Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('s')))
    const identity = JSON.stringify(Object.entries(keys).sort())
    const group = merged.get(identity) ?? { keys, sums: new Map<string, bigint>() }
    for (const [name, cell] of Object.entries(row)) {
      if (!name.startsWith('s')) continue
      if (typeof cell !== 'string' || !/^-?[0-9]{1,60}$/.test(cell)) {
        throw new QueryError('ENGINE_ANSWER_INVALID', 'statistics')
      }
      group.sums.set(name, (group.sums.get(name) ?? 0n) + BigInt(cell))
    }
    merged.set(identity, group)
  }
  return [...merged.values()].map(({ keys, sums }) => ({
    ...keys,
    ...Object.fromEntries([...sums].map(([name, sum]) => [name, String(sum)])),
  }))
}
