import type * as z from 'zod'
import { ComputeError } from '../errors.js'
import { placeOf } from '../job/place.js'

/**
 * Parses a computation's parameters.
 *
 * @param schema - Of the computation.
 * @param json - Any value.
 * @returns Parameters.
 * @throws ComputeError `PARAMETERS_INVALID` with the first offending place.
 */
export function parseParameters<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  const place = placeOf(['compute', 'parameters', ...(first?.path ?? [])])
  throw new ComputeError(
    'PARAMETERS_INVALID',
    place,
    `The parameters are not valid. ${place}: ${first?.message}`,
    { cause: parsed.error },
  )
}
