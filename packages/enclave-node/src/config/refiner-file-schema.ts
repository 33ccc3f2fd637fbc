import * as z from 'zod'
import { digestSchema } from './digest-schema.js'

/** A pool's accepted refiner, as its file gives it. */
export const refinerFileSchema = z.looseObject({
  code: z.string().min(1),
  digest: digestSchema,
  schema: z.record(z.string(), z.json()),
})
