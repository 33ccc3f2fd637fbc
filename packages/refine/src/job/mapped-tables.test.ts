import type { JobRuntime, JsonValue } from '@sealpool/sandbox'
import { expect, test } from 'vitest'
import type { RefinerSchema } from '../schema/table-schema.js'
import type { FunctionHost } from './direct-rows.js'
import { mappedBatch, mappedTables } from './mapped-tables.js'

const limits = { memoryBytes: 1 << 20, timeMs: 1_000, outputBytes: 1 << 20 }
/** A sandbox whose code gives what it is told to. */
function hostOf(output: JsonValue): FunctionHost {
  const runtime = {
    run: async () => ({ ok: true, output, logs: [], attachments: ['[]'] }),
  } as unknown as JobRuntime
  return { code: '', runtime, limits }
}
const schema: RefinerSchema = {
  id: 'a',
  version: '1.0.0',
  source: 'rows',
  tables: { t: { description: 'd', columns: { c: { type: 'text', description: 'd' } } } },
  notes: [],
}
const batch = { count: 3, text: '[]' }

test.each([-5, 3, 1e15])('a failed record %d is none of three', async (failedRecord) => {
  const refused = { code: 'MAP_OUTPUT_INVALID', place: 'output' }
  await expect(mappedBatch(batch, hostOf({ failedRecord }), 10)).rejects.toMatchObject(refused)
  await expect(
    mappedTables([1, 2, 3], hostOf({ failedRecord }), { schema, first: 10 }),
  ).rejects.toMatchObject(refused)
})
test('a record that failed is told by its number in the export', async () => {
  const refused = { code: 'MAP_FAILED', place: 'record 12' }
  await expect(mappedBatch(batch, hostOf({ failedRecord: 2 }), 10)).rejects.toMatchObject(refused)
})
test('a table that no schema can declare is refused', async () => {
  const output = JSON.parse('{"packed":{"__proto__":{"rows":0,"columns":[],"attachment":0}}}')
  await expect(mappedBatch(batch, hostOf(output), 0)).rejects.toMatchObject({
    code: 'MAP_OUTPUT_INVALID',
    place: 'output',
  })
})
