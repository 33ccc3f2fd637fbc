import { type VerificationBudget, workMeter } from '../verification-budget.js'
import { verifySigned } from '../verify-source.js'
import { splitMailbox } from './mbox.js'
import { latin1Bytes, readMessage } from './message.js'
import type { DkimKey } from './verify-dkim.js'

/**
 * The mailbox of the messages that are authentic, each with the header fields that its signature covers: what goes to a refiner, so that
 * no table holds what nobody signed, or one letter twice. Parts of a mailbox that nobody signed cost a contribution some of its score, and would otherwise be
 * delivered like the others.
 *
 * @param options `bytes`: a message or a mailbox, hostile; `keys` and `require` as of a source `dkim`; `at`: Unix seconds;
 *   `budget`: most work, `DEFAULT_VERIFICATION_BUDGET` when absent
 * @returns a mailbox (RFC 4155, mboxrd quoting, CRLF); empty when nothing is authentic, or it takes more work than the budget
 * @example
 * ```ts
 * import { authenticMailbox } from '@sealpool/poc/authenticity'
 * const bytes = new TextEncoder().encode('From: a@example.org\r\n\r\nHello')
 * console.log(authenticMailbox({ bytes, keys: [] }).length) // 0
 * ```
 */
export function authenticMailbox(options: {
  readonly bytes: Uint8Array
  readonly keys: readonly DkimKey[]
  readonly require?: readonly string[] | undefined
  readonly at?: number | undefined
  readonly budget?: VerificationBudget
}): Uint8Array {
  const { bytes, keys, require = [], at, budget } = options
  const parts: string[] = []
  const messages = splitMailbox(bytes) ?? []
  const source = { kind: 'dkim', keys, require } as const
  const findings = verifySigned({ source, bytes, at, work: workMeter(budget) })
  for (const [index, one] of messages.entries()) {
    const { authentic = false, signedHeaders = [] } = findings[index] ?? {}
    const message = authentic ? readMessage(one) : undefined
    if (message === undefined) continue
    const covered = new Set(signedHeaders)
    const head = message.headers.filter(({ name }) => covered.has(name)).map(({ raw }) => raw)
    const text = `${head.join('')}\r\n${message.body}`.replace(/(^|\n)(>*From )/g, '$1>$2')
    // The separator's own address and time are nobody's.
    parts.push(
      `From MAILER-DAEMON Thu Jan  1 00:00:00 1970\r\n${text}${text.endsWith('\r\n') ? '' : '\r\n'}\r\n`,
    )
  }
  return latin1Bytes(parts.join(''))
}
