import { canonicalBytes, encodeBase64Url, encodeHex, type Hex, type Random } from '@sealpool/crypto'
import type { Account } from 'viem'
import { ClientError } from '../errors.js'

/** SHA-256 of no bytes: a GET has no body. */
const emptyBody = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
/** Seconds for which a request counts: it is sent at once. */
const lifetimeSeconds = 60

/**
 * The `Authorization` of one read (`Web3Signed`): who reads, what, where, under which grant, signed by the reader's key (EIP-191).
 *
 * @param options - `reader`, the grantee's account; `audience`, the server's address; `path` of the request; `grantId`; `now`; `random` for the
 *   number by which servers tell a repeated request
 * @returns the header's value
 * @throws ClientError `ACCOUNT_REQUIRED` when the account cannot sign messages; what it throws when its holder declines
 */
export async function readAuthorization(options: {
  readonly reader: Account
  readonly audience: string
  readonly path: string
  readonly grantId: Hex
  readonly now: Date
  readonly random: Random
}): Promise<string> {
  const { reader, audience, path, grantId, now, random } = options
  if (reader.signMessage === undefined)
    throw new ClientError('ACCOUNT_REQUIRED', 'reader', 'give an account that can sign messages')
  const issuedAt = Math.floor(now.getTime() / 1000)
  const claims = {
    aud: audience,
    bodyHash: emptyBody,
    exp: issuedAt + lifetimeSeconds,
    grantId,
    iat: issuedAt,
    method: 'GET',
    nonce: encodeHex(random(16)).slice(2),
    uri: path,
  }
  const message = encodeBase64Url(canonicalBytes(claims))
  return `Web3Signed ${message}.${await reader.signMessage({ message })}`
}
