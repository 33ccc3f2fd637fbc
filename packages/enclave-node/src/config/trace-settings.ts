import type { JsonObject } from '@sealpool/crypto'
import * as z from 'zod'

function hasNoCredentials(url: string): boolean {
  // What is no address is refused as that.
  if (!URL.canParse(url)) return true
  const { username, password } = new URL(url)
  return username === '' && password === ''
}

/** Spans of jobs for a collector of OpenTelemetry; null: none leave the node. */
export const traceSchema = z
  .strictObject({
    /** The collector's `/v1/traces`; one on the same machine, or under TLS. */
    url: z
      .url({ protocol: /^https?$/ })
      // It stands in a file that is no secret, and the platform takes no such address.
      .refine(hasNoCredentials, 'expected no user and no password in it'),
    /** Seconds of the grid on which the times of spans stand. */
    gridSeconds: z.int().min(10).max(3_600).default(60),
  })
  .nullable()
  .default(null)

/** What is measured of it: that spans leave, and how coarse their times are. Absent without spans, as digests always were. */
export function measuredTrace(trace: z.output<typeof traceSchema>): JsonObject {
  return trace === null ? {} : { trace: { gridSeconds: trace.gridSeconds } }
}
