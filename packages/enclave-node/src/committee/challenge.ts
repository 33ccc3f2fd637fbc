/**
 * Challenges of a committee's member: anybody may ask for any number of them, so that none is remembered. A challenge says until when it
 * is good, under a key that is drawn at every start.
 * @module
 */
import { decodeHex, encodeHex, equalBytes } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'

/** Seconds that a conversation may take, from its challenge on. */
const conversationSeconds = 60
const macHexDigits = 32

/** @param options `random`: a CSPRNG; `now`: unix seconds */
export function challenges({
  random,
  now,
}: {
  readonly random: (length: number) => Uint8Array
  readonly now: () => number
}) {
  const key = random(32)
  const macOf = (body: string) =>
    keyedFingerprint({ key, domain: 'committee/challenge', data: decodeHex(`0x${body}`) }).slice(
      0,
      macHexDigits,
    )
  return {
    /** @returns 74 hex digits: 16 random bytes, the second until which it is good, and a code over both */
    issue(): string {
      const until = (now() + conversationSeconds).toString(16).padStart(10, '0')
      const body = encodeHex(random(16)).slice(2) + until
      return body + macOf(body)
    },
    /** @returns the second until which it is good; null for one that was not issued here, or whose time is over */
    goodUntil(challenge: string): number | null {
      if (!/^[0-9a-f]{74}$/.test(challenge)) return null
      const body = challenge.slice(0, -macHexDigits)
      const until = Number.parseInt(body.slice(-10), 16)
      const genuine = equalBytes(
        decodeHex(`0x${macOf(body)}`),
        decodeHex(`0x${challenge.slice(-macHexDigits)}`),
      )
      return genuine && until >= now() ? until : null
    },
  }
}
