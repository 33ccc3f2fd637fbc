import { readFile } from 'node:fs/promises'
import type { JobRuntime } from '@sealpool/sandbox'
import type { BundledPoc } from '../bundle/index.js'
import { runPoc } from '../run/run-poc.js'
import type { PocVerdict } from '../verdict/verdict.js'
import { mediaTypeOf } from './media-type-of.js'
import { UnreadableFile } from './unreadable-file.js'

const limits = { memoryBytes: 2 ** 28, timeMs: 30_000, outputBytes: 2 ** 20 }

/**
 * Judges a file as a node would, with a made-up contribution around it.
 *
 * @throws UnreadableFile
 */
export async function judgeFile(options: {
  readonly poc: BundledPoc
  readonly runtime: JobRuntime
  readonly file: string
  readonly owner: `0x${string}`
  readonly mediaType?: string | undefined
  readonly at?: number | undefined
  readonly duplicate?: boolean | undefined
  readonly novelty?: number | undefined
}): Promise<PocVerdict> {
  const { poc, runtime, file, owner, at, novelty } = options
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.from(await readFile(file))
  } catch (error) {
    throw new UnreadableFile(file, error)
  }
  return runPoc({
    poc,
    runtime,
    limits,
    contribution: {
      id: 'local',
      pool: `0x${'0'.repeat(40)}`,
      owner,
      mediaType: options.mediaType ?? mediaTypeOf(file),
      bytes,
    },
    facts: {
      uniqueness: { duplicate: options.duplicate ?? false, ...(novelty === undefined ? {} : { novelty }) },
      ...(at === undefined ? {} : { at }),
    },
  })
}
