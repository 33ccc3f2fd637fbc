import { type Address, type Digest, digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { PocError } from '../errors.js'

/**
 * What a contribution is worth, and why. It holds no raw data: numbers, booleans, and words that stand in the approved
 * code. The owner's address is not in it either. A type and no interface: so it is JSON by its type as well.
 */
export type PocVerdict = {
  /** Id of the contribution in the registry. */
  readonly contribution: string
  readonly pool: Address
  /** Digest of the code that judged. */
  readonly poc: Digest
  readonly valid: boolean
  /** 0 to 1 with at most four decimals; 0 when refused. */
  readonly score: number
  readonly authenticity: number
  readonly ownership: number
  readonly quality: number
  readonly uniqueness: number
  readonly attributes: JsonObject
  /** Facts for the chain, where the proof declares them. */
  readonly metadata?: JsonObject
  /** Why it is refused, with the place in the file or in the code; null when valid. */
  readonly refusal: { readonly code: string; readonly place: string } | null
  /** What each check found. */
  readonly evidence: readonly {
    readonly check: string
    /** `review`: a heuristic asks that somebody looks. */
    readonly result: 'pass' | 'partial' | 'fail' | 'not-checked' | 'review'
    readonly place: string
    /** How much of it is fulfilled, 0 to 1, where that was measured. */
    readonly degree?: number
    /** By how the file looks, and not by what was checked: such a line never fails, and decides nothing. */
    readonly heuristic?: true
  }[]
}

/** What the code inside the sandbox decides of a verdict. */
export type JudgedPart = Omit<PocVerdict, 'contribution' | 'pool' | 'poc'>

// Schemas are made on first use, so that importing this package for `definePoc` alone does not pull zod into a bundle.
function makeSchemas() {
  const unit = z
    .number()
    .min(0)
    .max(1)
    .refine((value) => Math.round(value * 10_000) / 10_000 === value, 'at most four decimals')
  const place = z.string().max(200)
  const name = z.string().min(1).max(100)
  const attributes: z.ZodType<JsonObject> = z.record(z.string().max(100), z.json()) as z.ZodType<JsonObject>
  const line = z.strictObject({
    check: name,
    result: z.enum(['pass', 'partial', 'fail', 'not-checked', 'review']),
    place,
    degree: unit.optional(),
    heuristic: z.literal(true).optional(),
  })
  const judged = z.strictObject({
    valid: z.boolean(),
    score: unit,
    authenticity: unit,
    ownership: unit,
    quality: unit,
    uniqueness: unit,
    attributes,
    metadata: attributes.optional(),
    refusal: z.nullable(z.strictObject({ code: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/), place })),
    evidence: z
      .array(line.refine(isWithinHeuristics, 'a heuristic asks for a review and never fails'))
      .max(200),
  })
  const verdict = z.strictObject({
    contribution: z.string().min(1).max(100),
    pool: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
    poc: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    ...judged.shape,
  })
  return { judged, verdict }
}

/** Only heuristics ask for a review, and they neither fail nor hold in part. */
function isWithinHeuristics({
  result,
  heuristic,
}: {
  result: string
  heuristic?: true | undefined
}): boolean {
  return heuristic === true ? result !== 'fail' && result !== 'partial' : result !== 'review'
}

let schemas: ReturnType<typeof makeSchemas> | undefined

/**
 * Reads the part of a verdict that the code gave.
 *
 * @param value hostile JSON
 * @returns the part, typed
 * @throws PocError `VERDICT_INVALID` naming the field
 */
export function parseJudgedPart(value: JsonValue): JudgedPart {
  schemas ??= makeSchemas()
  const part = read(schemas.judged, value) as JudgedPart
  assertConsistent(part)
  return part
}

/**
 * Reads a verdict, for example one that came with a receipt.
 *
 * @param value anything
 * @returns the same verdict, typed
 * @throws PocError `VERDICT_INVALID` naming the field
 */
export function parsePocVerdict(value: unknown): PocVerdict {
  schemas ??= makeSchemas()
  const verdict = read(schemas.verdict, value) as PocVerdict
  assertConsistent(verdict)
  return verdict
}

/**
 * Digest of a verdict: SHA-256 of its RFC 8785 form, the leaf that a batch's Merkle root stands on.
 *
 * @param verdict a verdict
 * @returns `sha256:` and 64 hexadecimal digits
 */
export function verdictDigest(verdict: PocVerdict): Digest {
  return digestOf(verdict)
}

function read(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  // Only the field's own name: deeper parts of the path come from the code and may hold data.
  const field = String(issue?.path[0] ?? 'verdict')
  throw new PocError('VERDICT_INVALID', field, `the verdict's ${field} is not as the format has it`)
}

function assertConsistent({ valid, score, refusal }: JudgedPart): void {
  if (valid !== (refusal === null)) {
    throw new PocError('VERDICT_INVALID', 'valid', 'a verdict is valid exactly when it has no refusal')
  }
  if (!valid && score !== 0) {
    throw new PocError('VERDICT_INVALID', 'score', 'a refused contribution has score 0')
  }
}
