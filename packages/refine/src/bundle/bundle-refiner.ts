import { sha256Digest } from '@sealpool/crypto'
import { bundleModule } from '@sealpool/sandbox/bundle'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { RefineError } from '../errors.js'
import type { BundledRefiner } from '../job/refine-batch.js'
import { parseRefinerSchema } from '../schema/parse-schema.js'

const describeLimits = { memoryBytes: 64 * 1024 * 1024, timeMs: 5_000, outputBytes: 4 * 1024 * 1024 }

/**
 * Bundles a builder's refiner into one script, and asks that script, in the sandbox, to describe itself: the schema is what
 * the bundled code says, not what its source says.
 *
 * @param options - `entry`: path of the module whose default export is `defineRefiner(...)`
 * @returns code, its digest (which a pool approves), and the schema
 * @throws RefineError with `BUNDLE_FAILED` when the module does not bundle or does not run, `SCHEMA_INVALID` when its
 *   schema is not valid
 *
 * @example
 * ```ts no-run
 * const refiner = await bundleRefiner({ entry: 'payroll-refiner.ts' })
 * console.log(refiner.digest, schemaId(refiner.schema))
 * ```
 */
export async function bundleRefiner(options: { readonly entry: string }): Promise<BundledRefiner> {
  let code: string
  try {
    code = (await bundleModule({ entry: options.entry })).code
  } catch (cause) {
    throw new RefineError(
      'BUNDLE_FAILED',
      'entry',
      'The refiner does not bundle; the cause names file and line',
      {
        cause,
      },
    )
  }
  const runtime = await createQuickJsRuntime()
  try {
    const described = await runtime.run({ code, entry: 'describe', input: null, limits: describeLimits })
    if (!described.ok) {
      throw new RefineError(
        'BUNDLE_FAILED',
        'entry',
        `The refiner does not describe itself (${described.code}); default-export defineRefiner({ ... })`,
      )
    }
    return {
      code,
      digest: sha256Digest(new TextEncoder().encode(code)),
      schema: parseRefinerSchema(described.output),
    }
  } finally {
    await runtime.close()
  }
}
