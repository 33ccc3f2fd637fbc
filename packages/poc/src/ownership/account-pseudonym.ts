import { keyedFingerprint } from '@sealpool/privacy'
import { PocError } from '../errors.js'

/**
 * An account of a provider under a pool's key: the same account always has the same pseudonym in one pool, another in every other
 * pool, and without the key nobody can tell whose it is. What looks the same is the same: compatibility forms (NFKC), invisible
 * characters (format characters, variation selectors, fillers), white space around the name, the case of ASCII letters and a full stop behind the provider do not count.
 *
 * @param options `key`: at least 32 secret bytes, one per pool; `provider`: for example `example.org`; `account`: as the authentic
 *   export names it
 * @returns 64 lower-case hexadecimal digits
 * @throws PocError `KEY_INVALID`, `OPTION_INVALID` for an empty provider or account
 */
export function accountPseudonym(options: {
  readonly key: Uint8Array
  readonly provider: string
  readonly account: string
}): string {
  const { key } = options
  if (key.length < 32) {
    throw new PocError('KEY_INVALID', 'key', 'a pseudonym key has at least 32 bytes; derive one per pool')
  }
  const plain = (text: string): string =>
    text
      // Before the letters are put together: what stands invisible between a letter and its accent keeps the two apart.
      .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]+/gu, '')
      .normalize('NFKC')
      .trim()
      .replace(/[A-Z]+/g, (part) => part.toLowerCase())
  const provider = plain(options.provider).replace(/\.$/, '')
  const account = plain(options.account)
  if (provider === '') throw new PocError('OPTION_INVALID', 'provider', 'a provider has a name')
  if (account === '') throw new PocError('OPTION_INVALID', 'account', 'an account has a name')
  // Lengths first: no two pairs give one text.
  return keyedFingerprint({
    key,
    domain: 'sealpool/account',
    data: `${provider.length}:${provider}:${account}`,
  })
}
