/**
 * What `sealpool-node audit` says of a log.
 * @module
 */
import { parseDigest } from '@sealpool/crypto'
import { type AuditHead, continuesFrom, verifyAudit } from '../audit/audit-chain.js'
import { NodeError } from '../errors.js'

/**
 * Verifies an audit log.
 * @param text the file
 * @param seen `<length>:<digest>` as an earlier run printed it, or the node signed it; undefined: none
 * @returns whether it verifies, in words
 * @throws NodeError `CONFIG_INVALID` for a head of another form
 */
export function auditVerdict(
  text: string,
  seen: string | undefined,
): { readonly ok: boolean; readonly text: string } {
  const head = seen === undefined ? undefined : parseHead(seen)
  const verdict = verifyAudit(text)
  if (!verdict.ok) return { ok: false, text: `does not verify: line ${verdict.line}: ${verdict.why}` }
  if (head !== undefined && !continuesFrom(text, head)) {
    return { ok: false, text: `does not go on from ${seen}: entries were cut or replaced` }
  }
  const events = new Map<string, number>()
  for (const { event } of verdict.entries) events.set(event, (events.get(event) ?? 0) + 1)
  const counts = [...events].map(([event, count]) => `${event} ${count}`).join(', ')
  const end = `${verdict.head.length}:${verdict.head.digest ?? 'none'}`
  const lost = events.has('log-lost') ? '; ITS BEGINNING SAYS THAT AN EARLIER LOG WAS LOST' : ''
  return { ok: true, text: `verifies: ${counts || 'no entries'}${lost}\nhead ${end}` }
}

function parseHead(text: string): AuditHead {
  const [, length, digest] = /^(\d{1,15}):(.*)$/.exec(text) ?? []
  try {
    if (length === '0' && digest === 'none') return { length: 0, digest: null }
    return { length: Number(length), digest: parseDigest(digest) }
  } catch (cause) {
    throw new NodeError('CONFIG_INVALID', '--head', 'give it as it was printed: <length>:sha256:<hex>', {
      cause,
    })
  }
}
