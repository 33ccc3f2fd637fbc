/**
 * An issuer of credentials, a holder and a list of statuses, by jose: what tests of presentations share.
 * @module
 */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import type { CredentialCondition } from '@sealpool/contracts'
import * as jose from 'jose'

const base64Url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** One part of a presentation, otherwise than it should be. */
export interface PresentationChange {
  /** Claims that the issuer signs in the open; undefined takes one away. */
  readonly open?: Readonly<Record<string, unknown>>
  /** Claims that the holder discloses. */
  readonly disclosed?: Readonly<Record<string, unknown>>
  /** Whose signature it is: the issuer's, or that of another with the same name. */
  readonly issuer?: 'forger'
  readonly typ?: string
  /** What the holder signs. */
  readonly binding?: Readonly<Record<string, unknown>>
}

/** Makes keys. @param at unix seconds, when everything is issued and presented */
export async function credentialIssuer(at: number) {
  const issuer = await jose.generateKeyPair('ES256', { extractable: true })
  const forger = await jose.generateKeyPair('ES256', { extractable: true })
  const holder = await jose.generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const { x = '', y = '' } = await jose.exportJWK(issuer.publicKey)
  const { kty, crv, x: holderX } = await jose.exportJWK(holder.publicKey)
  const name = 'https://university.example'
  const uri = `${name}/statuses/1`
  const condition: CredentialCondition = {
    issuer: name,
    keys: [{ kty: 'EC', crv: 'P-256', x, y }],
    type: `${name}/researcher`,
    claims: [{ path: ['role'], oneOf: ['researcher'] }],
    presentedWithin: 3_600,
  }
  return {
    /** What a credential of this issuer meets. */
    condition,
    /** A credential for a challenge, presented. */
    async presentation(
      challenge: { readonly nonce: string; readonly audience: string },
      change: PresentationChange = {},
    ): Promise<string> {
      const { disclosed = { role: 'researcher', name: 'canary' }, open = {}, typ = 'dc+sd-jwt' } = change
      const texts = Object.entries(disclosed).map(([claim, value]) => base64Url(['salt', claim, value]))
      const payload = {
        iss: name,
        vct: condition.type,
        iat: at - 100,
        exp: at + 86_400,
        cnf: { jwk: { kty, crv, x: holderX } },
        _sd: texts.map(digestOf),
        ...open,
      }
      const { privateKey } = change.issuer === 'forger' ? forger : issuer
      const token = await new jose.SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ }).sign(privateKey)
      const presented = [token, ...texts, ''].join('~')
      const binding = {
        aud: challenge.audience,
        nonce: challenge.nonce,
        iat: at,
        sd_hash: digestOf(presented),
        ...change.binding,
      }
      const proof = new jose.SignJWT(binding).setProtectedHeader({ alg: 'EdDSA', typ: 'kb+jwt' })
      return presented + (await proof.sign(holder.privateKey))
    },
    /** The claim of a credential that is at a place of the list. */
    statusAt: (idx: number) => ({ status: { status_list: { idx, uri } } }),
    /** The list: one bit for each credential, those that are named revoked. */
    statusList(revoked: readonly number[], change: Readonly<Record<string, unknown>> = {}): Promise<string> {
      const bytes = new Uint8Array(16)
      for (const one of revoked) bytes[one >> 3] = (bytes[one >> 3] ?? 0) | (1 << (one & 7))
      const list = { bits: 1, lst: deflateSync(bytes).toString('base64url') }
      return new jose.SignJWT({ sub: uri, iat: at - 60, status_list: list, ...change })
        .setProtectedHeader({ alg: 'ES256', typ: 'statuslist+jwt' })
        .sign(issuer.privateKey)
    },
  }
}
