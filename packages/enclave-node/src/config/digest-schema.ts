import type { Digest } from '@sealpool/crypto'
import * as z from 'zod'

/** A SHA-256 digest in settings. */
export const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 lower-case hex digits')
  .transform((text): Digest => text as Digest)
