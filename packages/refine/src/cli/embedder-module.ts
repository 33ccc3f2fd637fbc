import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as z from 'zod'
import type { Embedder } from '../embedding/embedder.js'
import { UsageError } from './arguments.js'

const shape = z.object({
  model: z.templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)]),
  dimensions: z.int().min(1).max(4096),
  embed: z.custom<Embedder['embed']>((value) => typeof value === 'function'),
})

/**
 * The operator's embedder out of a module.
 *
 * @param path - of a JavaScript module whose default export is an `Embedder`
 * @returns the embedder
 * @throws UsageError for a module that does not load or exports none
 */
export async function embedderOf(path: string): Promise<Embedder> {
  const module: { readonly default?: unknown } = await import(pathToFileURL(resolve(path)).href).catch(() => {
    throw new UsageError('the embedder’s module cannot be loaded')
  })
  const read = shape.safeParse(module.default)
  if (!read.success)
    throw new UsageError(
      'the embedder’s module has no default export { model: "sha256:...", dimensions, embed }',
    )
  const { model, dimensions } = read.data
  const given = module.default as Embedder
  // Called on what was exported: it may be an object of a class.
  return { model, dimensions, embed: (texts) => given.embed(texts) }
}
