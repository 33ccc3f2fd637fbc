import type { Digest } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import * as z from 'zod'
import { authenticitySourcesSchema } from '../authenticity/source-schema.js'
import type { PocDescription } from '../define/define-poc.js'
import { PocError } from '../errors.js'

/** Code and its digest. */
export interface PocCode {
  /** Classic script with the entries `evaluate` and `describe`. */
  readonly code: string
  /** SHA-256 of the code's UTF-8 bytes; the pool approved this. */
  readonly digest: Digest
}

const limits = { memoryBytes: 64 * 1024 * 1024, timeMs: 5_000, outputBytes: 256 * 1024 }
const described = new WeakMap<JobRuntime, Map<Digest, Promise<PocDescription>>>()

/**
 * Asks the code who it is and whose signatures it trusts. That comes from the code itself, in the sandbox, so the
 * approved digest covers it; each runtime is asked once per digest.
 *
 * @param poc code whose digest was checked
 * @param runtime where to run it
 * @returns id, version, issuers, sources and what it examines as the code names them; the last two are empty for code that names none
 * @throws PocError `CODE_INVALID` when it does not describe itself, `RUNTIME_FAILED`
 */
export function describePoc(poc: PocCode, runtime: JobRuntime): Promise<PocDescription> {
  let known = described.get(runtime)
  if (known === undefined) {
    known = new Map()
    described.set(runtime, known)
  }
  const before = known.get(poc.digest)
  if (before !== undefined) return before
  const asked = ask(poc, runtime)
  known.set(poc.digest, asked)
  const forget = known
  // A lost runtime must not be remembered as the code's answer.
  asked.catch(() => forget.delete(poc.digest))
  return asked
}

async function ask(poc: PocCode, runtime: JobRuntime): Promise<PocDescription> {
  // Whoever judges again must come to the same verdict.
  if (runtime.repeatable === false) {
    throw new PocError(
      'RUNTIME_FAILED',
      'runtime',
      'native programs judge nothing; use QuickJS or WebAssembly',
    )
  }
  const result = await runtime.run({ code: poc.code, entry: 'describe', input: null, limits })
  if (!result.ok && result.code === 'RUNTIME_LOST') {
    throw new PocError('RUNTIME_FAILED', 'poc.describe', 'the runtime was lost; run again')
  }
  if (!result.ok) {
    throw new PocError(
      'CODE_INVALID',
      `poc.describe, ${result.place}`,
      `the code does not describe itself (${result.code}); default-export definePoc({ ... }) and bundle it`,
    )
  }
  const parsed = z
    .strictObject({
      id: z.string().min(1).max(100),
      version: z.string().min(1).max(50),
      issuers: z
        .array(z.strictObject({ name: z.string().min(1).max(200), ed25519PublicKey: z.string() }))
        .max(1000),
      // Code that was bundled before there were sources has none.
      sources: z.optional(authenticitySourcesSchema()),
      examines: z.optional(z.array(z.enum(['account', 'items'])).max(2)),
    })
    .safeParse(result.output)
  if (!parsed.success) {
    const place = parsed.error.issues[0]?.path.join('.') ?? ''
    throw new PocError(
      'CODE_INVALID',
      `poc.describe.${place}`,
      'what the code says about itself is malformed',
    )
  }
  const { id, version, issuers, sources = [], examines = [] } = parsed.data
  return { id, version, issuers, sources, examines }
}
