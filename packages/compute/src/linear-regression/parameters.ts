import * as z from 'zod'
import { parseParameters } from '../computation/parse-parameters.js'

const nameSchema = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'expected a lower-case ASCII name')
const columnShape = {
  pool: nameSchema,
  table: nameSchema,
  column: nameSchema,
  min: z.exactOptional(z.number()),
  max: z.exactOptional(z.number()),
}

/**
 * Parameters of `linear-regression`. `min` and `max` narrow the policy's public range: values outside are
 * clamped. Narrower ranges mean less noise; choose them from what is known beforehand, never from the data.
 */
export const linearRegressionSchema = z
  .strictObject({
    target: z.strictObject({ ...columnShape, transform: z.exactOptional(z.enum(['identity', 'log'])) }),
    features: z
      .array(
        z.strictObject({
          name: nameSchema,
          ...columnShape,
          transform: z.enum(['identity', 'square', 'indicator']),
          equals: z.exactOptional(z.union([z.string(), z.number(), z.boolean()])),
        }),
      )
      .min(1)
      .max(24),
  })
  .superRefine(({ features }, context) => {
    const issue = (index: number, key: string, message: string): void => {
      context.addIssue({ code: 'custom', path: ['features', index, key], message })
    }
    features.forEach((feature, index) => {
      if (feature.name === 'intercept')
        issue(index, 'name', 'the intercept is always there; choose another name')
      if (features.findIndex(({ name }) => name === feature.name) < index)
        issue(index, 'name', 'names must differ')
      const indicator = feature.transform === 'indicator'
      if (indicator !== (feature.equals !== undefined)) {
        issue(index, 'equals', 'an indicator names the category it marks, and only an indicator does')
      }
      if (indicator && (feature.min !== undefined || feature.max !== undefined)) {
        issue(index, 'min', 'an indicator is 0 or 1; remove min and max')
      }
    })
  })

/** Parsed parameters of `linear-regression`. */
export type LinearRegressionParameters = z.output<typeof linearRegressionSchema>

/**
 * Parses the parameters.
 *
 * @param json - Any value.
 * @returns Parameters.
 * @throws ComputeError `PARAMETERS_INVALID` with the first offending place.
 */
export function parseLinearRegression(json: unknown): LinearRegressionParameters {
  return parseParameters(linearRegressionSchema, json)
}
