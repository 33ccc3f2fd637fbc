import * as z from 'zod'

/** What the parent writes to the worker's stdin, once, as one JSON document. The key is never in argv or env. */
export const inspectRequest = z.strictObject({
  path: z.string().min(1).max(4096),
  key: z.base64().length(44),
  memoryLimitBytes: z.int().min(16 * 1024 * 1024),
})

/** What the worker writes to its stdout, once. `failed` names the stage; DuckDB's message stays inside. */
export const inspectReply = z.union([
  z.strictObject({
    ok: z.literal(true),
    rows: z.int().min(0),
    columns: z.array(z.strictObject({ name: z.string(), type: z.string() })),
  }),
  z.strictObject({ ok: z.literal(false), failed: z.enum(['request', 'engine', 'file']) }),
])

/** See {@link inspectRequest}. */
export type InspectRequest = z.infer<typeof inspectRequest>
/** See {@link inspectReply}. */
export type InspectReply = z.infer<typeof inspectReply>
