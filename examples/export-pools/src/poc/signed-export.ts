import { type Facts, refuse } from '@sealpool/poc/define'

/** What a platform signed: the file, whose account it is, and the wallet that the account named. */
export interface Signed {
  readonly account: string
  readonly wallet: string
  readonly file: string
}

/**
 * The payload of an export that the host found to be signed; what nobody signed is refused before it is looked at.
 *
 * @param raw the contribution as JSON
 * @param facts what the host knows of it
 * @returns the payload
 */
export function signedExport(raw: unknown, facts: Facts): Signed {
  if (facts.authenticity?.[0]?.authentic !== true) return refuse('NOT_SIGNED_BY_THE_PLATFORM', 'file')
  const { payload } = raw as { payload?: Partial<Signed> }
  const { account, wallet, file } = payload ?? {}
  if (typeof account !== 'string' || typeof wallet !== 'string' || typeof file !== 'string') {
    return refuse('WRONG_FORMAT', 'payload')
  }
  return { account, wallet: wallet.toLowerCase(), file }
}
