/**
 * What `sealpool-node audit` says of a log.
 * @module
 */
import { parseDigest } from '@sealpool/crypto'
import { type AuditHead, continuesFrom, verifyAudit } from '../audit/audit-chain.js'
import { NodeError } from '../errors.js'

/** Whether a log verifies. */
export type AuditAnswer =
  | {
      readonly ok: true
      /** Entries and the last one's digest: `<length>:<digest>`, to be given as `--head` the next time. */
      readonly head: string
      /** How many entries there are of each event. */
      readonly events: Readonly<Record<string, number>>
      /** The log begins with a word that an earlier one was lost. */
      readonly lost: boolean
    }
  | {
      readonly ok: false
      /** The first line that does not verify; null when entries were cut or replaced. */
      readonly line: number | null
      readonly why: string
    }

/**
 * Verifies an audit log.
 * @param text the file
 * @param seen `<length>:<digest>` as an earlier run printed it, or the node signed it; undefined: none
 * @returns whether it verifies
 * @throws NodeError `OPTION_INVALID` for a head of another form
 */
export function auditVerdict(text: string, seen: string | undefined): AuditAnswer {
  const head = seen === undefined ? undefined : parseHead(seen)
  const verdict = verifyAudit(text)
  if (!verdict.ok) return { ok: false, line: verdict.line, why: verdict.why }
  if (head !== undefined && !continuesFrom(text, head))
    return { ok: false, line: null, why: `does not go on from ${seen}: entries were cut or replaced` }
  const events = new Map<string, number>()
  for (const { event } of verdict.entries) events.set(event, (events.get(event) ?? 0) + 1)
  return {
    ok: true,
    head: `${verdict.head.length}:${verdict.head.digest ?? 'none'}`,
    events: Object.fromEntries(events),
    lost: events.has('log-lost'),
  }
}

/**
 * @param verdict of {@link auditVerdict}
 * @returns the same for people
 */
export function auditText(verdict: AuditAnswer): string {
  if (!verdict.ok)
    return verdict.line === null ? verdict.why : `does not verify: line ${verdict.line}: ${verdict.why}`
  const { head, events, lost } = verdict
  const counts = Object.entries(events).map(([event, count]) => `${event} ${count}`)
  return `verifies: ${counts.join(', ') || 'no entries'}${lost ? '; ITS BEGINNING SAYS THAT AN EARLIER LOG WAS LOST' : ''}\nhead ${head}`
}

function parseHead(text: string): AuditHead {
  const [, length, digest] = /^(\d{1,15}):(.*)$/.exec(text) ?? []
  try {
    if (length === '0' && digest === 'none') return { length: 0, digest: null }
    return { length: Number(length), digest: parseDigest(digest) }
  } catch (cause) {
    throw new NodeError('OPTION_INVALID', '--head', 'give it as it was printed: <length>:sha256:<hex>', {
      cause,
    })
  }
}
