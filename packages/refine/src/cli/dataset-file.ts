import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { CroissantDataset } from '../schema/croissant.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import { UsageError } from './arguments.js'

const text = z.string().min(1).max(10_000)
const dataset = z.strictObject({
  name: text.optional(),
  description: text.optional(),
  license: text.optional(),
  url: z.url().optional(),
  datePublished: z.iso.date().optional(),
  creator: z.strictObject({ name: text, url: z.url().optional() }).optional(),
  files: z
    .record(
      z.string(),
      z.strictObject({ contentUrl: text, sha256: z.string(), encodingFormat: text.optional() }),
    )
    .optional(),
  version: z.enum(['1.0', '1.1']).optional(),
})

/**
 * What a Croissant description says besides the tables, out of a JSON file; name and description are the refiner's where the file says
 * nothing.
 *
 * @param path - the file, or undefined
 * @param schema - the refiner's schema
 * @returns the description, and which fields that Croissant asks for are missing
 * @throws UsageError when the file is none
 */
export async function datasetOf(
  path: string | undefined,
  schema: RefinerSchema,
): Promise<{ readonly dataset: CroissantDataset; readonly missing: readonly string[] }> {
  let given: unknown = {}
  if (path !== undefined) {
    const content = await readFile(path, 'utf8').catch(() => {
      throw new UsageError('the dataset file cannot be read')
    })
    try {
      given = JSON.parse(content)
    } catch {
      throw new UsageError('the dataset file is not JSON')
    }
  }
  const parsed = dataset.safeParse(given)
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.map(String).join('.') ?? ''
    throw new UsageError(
      `the dataset file is wrong at ${field === '' ? 'its top' : field}; it takes name, description, license, url, datePublished, creator, files, version`,
    )
  }
  const described = Object.values(schema.tables).map(({ description }) => description)
  const told = Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => value !== undefined))
  return {
    dataset: { name: schema.id, description: described.join(' '), ...told },
    missing: ['license', 'url', 'datePublished', 'creator'].filter((name) => !Object.hasOwn(told, name)),
  }
}
