const form =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])$/
/** Providers that ignore points in the local part. */
const pointless = new Set(['gmail.com', 'googlemail.com'])
const sameProvider: Readonly<Record<string, string>> = { 'googlemail.com': 'gmail.com' }

/**
 * An e-mail address in one form: lower case, without a display name; with `mailbox` also without what stands behind `+` and, at
 * Gmail, without points, so that one person's spellings are one address.
 *
 * @param text - an address, also as `Name <address>`; ASCII only, so that a domain in other letters stands in its
 *   form of RFC 5891 (`xn--p1ai`)
 * @param options - `mailbox`: bring the spellings of one mailbox together, default false
 * @returns the address, or null when it is none
 *
 * @example
 * ```ts
 * import { emailAddress } from '@sealpool/refine/normalise'
 * console.log(emailAddress('Ann <A.Nn+shop@GoogleMail.com>', { mailbox: true })) // ann@gmail.com
 * ```
 */
export function emailAddress(text: string, options: { readonly mailbox?: boolean } = {}): string | null {
  if (text.length > 1000) return null
  const inner = /<([^<>]*)>\s*$/.exec(text)?.[1] ?? text
  const address = inner
    .trim()
    .replace(/^mailto:/i, '')
    .toLowerCase()
  if (address.length > 254 || !form.test(address) || /(^|[^@])\.\.|^\.|\.@/.test(address)) return null
  if (options.mailbox !== true) return address
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  const local = address.slice(0, at).replace(/\+.*$/, '')
  const plain = pointless.has(domain) ? local.replaceAll('.', '') : local
  return plain === '' ? null : `${plain}@${sameProvider[domain] ?? domain}`
}
