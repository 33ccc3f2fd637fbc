import { asJson, type JsonObject } from '@sealpool/crypto'
import * as z from 'zod'
import { isObject } from '../authenticity/json-object.js'
import { PocError } from '../errors.js'
import { type JudgedPart, type PocVerdict, parseJudgedPart } from '../verdict/verdict.js'

/** `results.json` as the proofs of the existing network write it. */
export interface ResultsJson {
  readonly dlp_id: number
  readonly valid: boolean
  readonly score: number
  readonly authenticity: number
  readonly ownership: number
  readonly quality: number
  readonly uniqueness: number
  readonly attributes: JsonObject
  readonly metadata: JsonObject
}

/**
 * A verdict in the existing network's form. What it has no place for (refusal, evidence, digest of the code) goes into `metadata`, where
 * {@link fromResultsJson} finds it again.
 *
 * @param verdict what `runPoc` gave
 * @param options `dlpId`: the pool's number there
 * @returns the object to write as `results.json`; `metadata.sealpool` and `metadata.dlp_id` are set over the verdict's own
 * @throws PocError `OPTION_INVALID` for a number that is none
 */
export function toResultsJson(verdict: PocVerdict, options: { readonly dlpId: number }): ResultsJson {
  if (!Number.isSafeInteger(options.dlpId) || options.dlpId < 0) {
    throw new PocError('OPTION_INVALID', 'dlpId', 'expected a whole number from 0')
  }
  const { valid, score, authenticity, ownership, quality, uniqueness, attributes, metadata = {} } = verdict
  const sealpool = {
    poc: verdict.poc,
    refusal: verdict.refusal,
    evidence: asJson(verdict.evidence),
  }
  return {
    dlp_id: options.dlpId,
    valid,
    score,
    authenticity,
    ownership,
    quality,
    uniqueness,
    attributes,
    metadata: { ...metadata, dlp_id: options.dlpId, sealpool },
  }
}

/**
 * Reads a `results.json` of the existing network's proofs, strangers' included: figures are cut to 0 to 1 and four decimals, what is
 * missing is 0 or empty. Texts in attributes are kept as they are; who signs a verdict from them answers for them.
 *
 * @param value hostile JSON
 * @returns what of a verdict stands in it; an invalid one has score 0 and, without a reason of ours, the refusal `IMPORTED_INVALID`
 * @throws PocError `VERDICT_INVALID` when `valid` or `score` is missing or of another type
 */
export function fromResultsJson(value: unknown): JudgedPart {
  const figure = z.number().optional()
  const schema = z.object({
    valid: z.boolean(),
    score: z.number(),
    authenticity: figure,
    ownership: figure,
    quality: figure,
    uniqueness: figure,
    attributes: z.record(z.string(), z.json()).nullish(),
    metadata: z.record(z.string(), z.json()).nullish(),
  })
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const field = String(parsed.error.issues[0]?.path[0] ?? 'results')
    throw new PocError(
      'VERDICT_INVALID',
      field,
      `the field ${field} of results.json is missing or of another type`,
    )
  }
  const { valid, score, attributes, metadata, ...figures } = parsed.data
  const { sealpool, dlp_id: _, ...rest } = metadata ?? {}
  const kept = isObject(sealpool) ? sealpool : {}
  const part = {
    valid,
    score: valid ? cut(score) : 0,
    authenticity: cut(figures.authenticity),
    ownership: cut(figures.ownership),
    quality: cut(figures.quality),
    uniqueness: cut(figures.uniqueness),
    attributes: attributes ?? {},
    ...(Object.keys(rest).length === 0 ? {} : { metadata: rest }),
    refusal: valid ? null : (kept['refusal'] ?? { code: 'IMPORTED_INVALID', place: 'results.json' }),
    evidence: kept['evidence'] ?? [],
  }
  return parseJudgedPart(part)
}

function cut(value = 0): number {
  return value > 0 ? Math.round(Math.min(1, value) * 10_000) / 10_000 : 0
}
