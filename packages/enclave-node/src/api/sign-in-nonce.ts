/**
 * Nonces of sign-ins: anybody may ask for any number of them, so that the node remembers only the ones that were used. A nonce
 * says until when it is good, under a key that is drawn at every start: none outlives the process that could have seen it used.
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { encodeHex } from '@sealpool/crypto'
import { singleUse } from '../access/single-use.js'

/** Seconds for which a nonce is good. */
export const nonceSeconds = 300

/** Issues and takes nonces. */
export interface SignInNonces {
  issue(): string
  /** @returns why it is refused, or null: it is taken then */
  take(nonce: string): 'SIGN_IN_NONCE' | 'BUSY' | null
  /** The sign-in was not accepted. */
  release(nonce: string): void
}

const macHexDigits = 32

/** @param options `random`: a CSPRNG; `now`: unix seconds; `capacity`: most nonces that are remembered as used */
export function signInNonces(options: {
  readonly random: (length: number) => Uint8Array
  readonly now: () => number
  readonly capacity?: number
}): SignInNonces {
  const { random, now, capacity = 100_000 } = options
  const key = random(32)
  const used = singleUse({ capacity, now })
  const macOf = (body: string) => createHmac('sha256', key).update(body).digest('hex').slice(0, macHexDigits)
  return {
    issue() {
      const until = (now() + nonceSeconds).toString(16).padStart(10, '0')
      const body = encodeHex(random(16)).slice(2) + until
      return body + macOf(body)
    },
    take(nonce) {
      if (!/^[0-9a-f]{74}$/.test(nonce)) return 'SIGN_IN_NONCE'
      const body = nonce.slice(0, -macHexDigits)
      const until = Number.parseInt(body.slice(-10), 16)
      const genuine = timingSafeEqual(Buffer.from(macOf(body)), Buffer.from(nonce.slice(-macHexDigits)))
      if (!genuine || until < now()) return 'SIGN_IN_NONCE'
      const taken = used.take(nonce, until)
      if (taken === 'full') return 'BUSY'
      return taken === 'repeated' ? 'SIGN_IN_NONCE' : null
    },
    release: (nonce) => used.release(nonce),
  }
}
