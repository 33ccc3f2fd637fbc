/**
 * An issuer and a holder of SD-JWTs, by jose: each part can be made otherwise than it should be.
 * @module
 */
import { createHash } from 'node:crypto'
import * as jose from 'jose'

const base64Url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The digest of what stands between two tildes. */
export const digestOfText = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** A disclosure of a member, or of a list's item when there is no name. */
export function disclosure(...parts: readonly unknown[]): { readonly text: string; readonly digest: string } {
  const text = base64Url(['salt', ...parts])
  return { text, digest: digestOfText(text) }
}

/** Keys of one kind, made once. */
export async function sdJwtParty(algorithm: 'ES256' | 'EdDSA') {
  const { publicKey, privateKey } = await jose.generateKeyPair(algorithm, {
    extractable: true,
    ...(algorithm === 'EdDSA' ? { crv: 'Ed25519' } : {}),
  })
  const { kty = '', crv = '', x = '', y } = await jose.exportJWK(publicKey)
  const jwk = { kty, crv, x, ...(y === undefined ? {} : { y }) }
  return {
    algorithm,
    jwk,
    sign: (payload: jose.JWTPayload, header: Readonly<Record<string, unknown>>): Promise<string> =>
      new jose.SignJWT(payload).setProtectedHeader({ alg: algorithm, ...header }).sign(privateKey),
  }
}

/** One of {@link sdJwtParty}. */
export type SdJwtParty = Awaited<ReturnType<typeof sdJwtParty>>

/** Adds the holder's signature over what is presented. */
export async function boundBy(
  holder: SdJwtParty,
  presented: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const payload = { sd_hash: digestOfText(presented), ...claims }
  return presented + (await holder.sign(payload, { typ: 'kb+jwt', ...header }))
}
