import { type Digest, sha256Digest } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import { RefineError } from '../errors.js'
import { parseRefinerSchema } from '../schema/parse-schema.js'
import { schemaId } from '../schema/schema-id.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import type { RefineBatchOptions } from './refine-batch.js'
import { requireRepeatable } from './require-repeatable.js'

const known = new WeakMap<JobRuntime, Map<Digest, Promise<RefinerSchema>>>()

/**
 * The schema that a refiner's code describes. The digest fixes the code and the code fixes the schema, so that each runtime is asked once for
 * each digest; a schema from elsewhere must be the same one.
 *
 * @param options - refiner, runtime and limits
 * @returns the schema, as the code says it
 * @throws RefineError with `REFINER_MISMATCH`, `SCHEMA_INVALID` or `ARGUMENT_INVALID`
 */
export async function describedSchema(
  options: Pick<RefineBatchOptions, 'refiner' | 'runtime' | 'limits'>,
): Promise<RefinerSchema> {
  const { refiner, runtime } = options
  if (sha256Digest(new TextEncoder().encode(refiner.code)) !== refiner.digest)
    throw new RefineError('REFINER_MISMATCH', 'refiner.code', "The refiner's code does not have its digest")
  const schema = parseRefinerSchema(refiner.schema)
  requireRepeatable(runtime)
  const own = await describedOnce(options)
  const direct = ({ direct: mapping, fields, files }: RefinerSchema) =>
    JSON.stringify([mapping ?? null, fields ?? null, files ?? null])
  if (
    schemaId(own) !== schemaId(schema) ||
    own.source !== schema.source ||
    own.version !== schema.version ||
    direct(own) !== direct(schema)
  ) {
    throw new RefineError(
      'REFINER_MISMATCH',
      'refiner.schema',
      'The refiner describes another schema than given',
    )
  }
  return own
}

function describedOnce(
  options: Pick<RefineBatchOptions, 'refiner' | 'runtime' | 'limits'>,
): Promise<RefinerSchema> {
  const { refiner, runtime } = options
  const ofRuntime = known.get(runtime) ?? new Map<Digest, Promise<RefinerSchema>>()
  known.set(runtime, ofRuntime)
  const before = ofRuntime.get(refiner.digest)
  if (before !== undefined) return before
  const asked = describe(options)
  ofRuntime.set(refiner.digest, asked)
  // A runtime that was lost must not be remembered as the code's answer.
  asked.catch(() => ofRuntime.delete(refiner.digest))
  return asked
}

async function describe({
  refiner,
  runtime,
  limits,
}: Pick<RefineBatchOptions, 'refiner' | 'runtime' | 'limits'>): Promise<RefinerSchema> {
  const described = await runtime.run({ code: refiner.code, entry: 'describe', input: null, limits })
  if (!described.ok) {
    throw new RefineError(
      'REFINER_MISMATCH',
      'refiner.code',
      `The refiner does not describe itself (${described.code})`,
    )
  }
  return parseRefinerSchema(described.output)
}
