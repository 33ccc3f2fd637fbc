import type { JsonValue } from '@sealpool/crypto'
import type { RunResult } from '@sealpool/sandbox'
import * as z from 'zod'
import type { SignedFinding } from '../authenticity/signed-content.js'
import type { AccountFact, Facts } from '../define/check.js'
import { PocError } from '../errors.js'
import { contentFingerprint } from '../uniqueness/content-fingerprint.js'
import { type ItemSource, itemsOf } from '../uniqueness/content-items.js'
import { signedFingerprint } from '../uniqueness/contribution-fingerprint.js'
import { signedStatements } from '../uniqueness/signed-statements.js'

/** A contribution as the pool's indexes are asked about it. All of it is private. */
export interface ContributionContent {
  /** As `contributionFingerprint` gives it, without verifying again. @throws PocError `KEY_INVALID` */
  readonly fingerprint: (key: Uint8Array) => string
  /**
   * The items that the proof read where it declares `items`; else what its sources signed, each letter or record an item; else the file. For
   * `novelty`, `contentSketch` and a row index.
   */
  readonly content: ItemSource
}

/** Asks the pool how new a contribution is. */
export type UniquenessPort = (
  about: ContributionContent,
) => Facts['uniqueness'] | Promise<Facts['uniqueness']>

/** Asks the pool's register about the account that the proof read, for example with `accountPseudonym` and `decideAccount`. */
export type AccountPort = (named: {
  readonly provider: string
  readonly account: string
}) => AccountFact | Promise<AccountFact>

/** What the code read of a file for the host to look up. */
export interface Examination {
  readonly account: { readonly provider: string; readonly account: string } | null
  readonly items: readonly JsonValue[] | null
}

/** Room for the items, which may be more than a verdict. */
export const EXAMINATION_BYTES = 32 * 1024 * 1024

function makeSchema() {
  const text = z.string().min(1).max(1000)
  return z.strictObject({
    account: z.nullable(z.strictObject({ provider: text, account: text })),
    items: z.nullable(z.array(z.unknown())),
  })
}

let schema: ReturnType<typeof makeSchema> | undefined

/**
 * Reads what the entry `examine` gave.
 *
 * @param result a successful run
 * @returns account and items
 * @throws PocError `CODE_INVALID` when it is neither
 */
export function readExamination(result: Extract<RunResult, { ok: true }>): Examination {
  schema ??= makeSchema()
  const parsed = schema.safeParse(result.output)
  if (!parsed.success) {
    throw new PocError(
      'CODE_INVALID',
      'poc.examine',
      'what the code read of the file is no account and no items',
    )
  }
  return parsed.data as Examination
}

/** A contribution as the port of uniqueness sees it. */
export function contentOf(
  file: { readonly mediaType: string; readonly bytes: Uint8Array },
  findings: readonly (readonly SignedFinding[])[],
  items: Examination['items'],
): ContributionContent {
  return {
    fingerprint: (key) => signedFingerprint({ key, findings }) ?? contentFingerprint({ key, ...file }),
    content: items === null ? (signedStatements(findings) ?? file) : itemsOf(items),
  }
}
