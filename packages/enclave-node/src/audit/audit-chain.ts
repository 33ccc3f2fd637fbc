/**
 * The audit log: who came to the node, each entry naming the digest of the one before it. It holds no data, no token
 * and no address: callers are tags that only the node can make.
 * @module
 */
import {
  canonicalize,
  type Digest,
  digestOf,
  type JsonObject,
  type JsonValue,
  parseCanonical,
} from '@sealpool/crypto'
import * as z from 'zod'

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest)

/** What can stand in the log. */
export const auditEvents = [
  'start',
  'stop',
  'log-lost',
  'sign-in',
  'sign-in-refused',
  'sign-out',
  'token-given',
  'token-revoked',
  'incident',
  'incident-ended',
  'calls',
  'part-given',
  'part-refused',
  'keys-moved',
  'facts-signed',
  'facts-given-up',
  'verdict-differs',
  'verdict-same-again',
  'verdict-disputed',
  'share-refused',
  'head-contradicted',
  'pool-keeps',
  'pool-consents',
  'pool-policy',
  'rescoring-signed',
] as const

const entrySchema = z.strictObject({
  format: z.literal('sealpool/audit-entry'),
  version: z.literal(1),
  sequence: z.int().nonnegative(),
  /** Unix seconds by the node's clock. */
  at: z.int().nonnegative(),
  event: z.enum(auditEvents),
  facts: z.record(
    z.string(),
    z.union([z.string().max(200), z.int(), z.boolean(), z.array(z.string().max(50)).max(10)]),
  ),
  /** Digest of the entry before; null for the first. */
  previous: digest.nullable(),
})

/** One entry. */
export type AuditEntry = z.output<typeof entrySchema>
/** What an entry says. */
export type AuditFact = Pick<AuditEntry, 'event' | 'facts'>

/** Where a log ends. */
export interface AuditHead {
  /** Number of entries. */
  readonly length: number
  /** Digest of the last one; null when there is none. */
  readonly digest: Digest | null
}

/** A log without entries. */
export const emptyAudit: AuditHead = { length: 0, digest: null }

/** @returns the next entry, its line, and the head with it */
export function nextEntry(
  head: AuditHead,
  fact: AuditFact,
  at: number,
): { readonly entry: AuditEntry; readonly line: string; readonly head: AuditHead } {
  const entry: AuditEntry = {
    format: 'sealpool/audit-entry',
    version: 1,
    sequence: head.length,
    at,
    ...fact,
    previous: head.digest,
  }
  const json = entry as unknown as JsonObject
  return { entry, line: `${canonicalize(json)}\n`, head: { length: head.length + 1, digest: digestOf(json) } }
}

/** What a log is found to be. */
export type AuditVerdict =
  | { readonly ok: true; readonly head: AuditHead; readonly entries: readonly AuditEntry[] }
  | { readonly ok: false; readonly line: number; readonly why: string }

/**
 * Verifies a log: every line is an entry in its one form, numbered without a gap, and names the digest of the one before.
 * @param text the file, or a part of it
 * @param from where the part begins; the log's beginning when absent
 */
export function verifyAudit(text: string, from: AuditHead = emptyAudit): AuditVerdict {
  const lines = text.split('\n')
  if (lines.pop() !== '') return { ok: false, line: lines.length + 1, why: 'the last line is not whole' }
  let head = from
  const entries: AuditEntry[] = []
  for (const [index, line] of lines.entries()) {
    const wrong = (why: string): AuditVerdict => ({ ok: false, line: index + 1, why })
    let value: JsonValue
    try {
      value = parseCanonical(line)
    } catch {
      return wrong('it is not canonical JSON')
    }
    const parsed = entrySchema.safeParse(value)
    if (!parsed.success) return wrong('it is no entry')
    if (parsed.data.sequence !== head.length)
      return wrong(`it is number ${parsed.data.sequence}, not ${head.length}`)
    if (parsed.data.previous !== head.digest) return wrong('it does not follow the entry before it')
    entries.push(parsed.data)
    head = { length: head.length + 1, digest: digestOf(value) }
  }
  return { ok: true, head, entries }
}

/**
 * Whether a log goes on from a head that was seen earlier.
 * @param text the whole log, verified
 */
export function continuesFrom(text: string, seen: AuditHead): boolean {
  if (seen.length === 0) return true
  const lines = text.split('\n').slice(0, seen.length)
  const last = lines[seen.length - 1]
  return last !== undefined && last !== '' && digestOf(parseCanonical(last)) === seen.digest
}
