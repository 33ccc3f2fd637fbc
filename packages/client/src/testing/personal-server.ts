import type { RequestListener } from 'node:http'
import { type Address, decodeBase64Url, type Hex, type JsonObject } from '@sealpool/crypto'
import { recoverMessageAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { type GrantRegistry, grantTypedData, type PortabilityGrant } from '../import/index.js'

/** Where the fixture's grants count. */
export const registry: GrantRegistry = { chainId: 1480, permissions: `0x${'d5'.repeat(20)}` }
export const granteeId: Hex = `0x${'6e'.repeat(32)}`
export const grantId: Hex = `0x${'91'.repeat(32)}`
/** The app's key, which the registry has for `granteeId`. */
export const reader = privateKeyToAccount(`0x${'77'.repeat(32)}`)
export const scope = 'bank.payslips'
/** Text that no error may show. */
export const secretWage = 'wage-of-twelve-and-a-half'
export const payslip: JsonObject = { wage: 12.5, note: secretWage }

/** What a person signs; `change` before the signature. */
export async function signedGrant(
  grantor: ReturnType<typeof privateKeyToAccount>,
  change: Partial<PortabilityGrant> = {},
): Promise<PortabilityGrant> {
  const grant = {
    grantId,
    grantorAddress: grantor.address,
    granteeId,
    scopes: ['bank.*'],
    grantVersion: 3n,
    expiresAt: 0n,
    ...change,
  }
  return { ...grant, signature: await grantor.signTypedData(grantTypedData({ registry, grant })) }
}

/** A grant as JSON has it. */
export function wireGrant(grant: PortabilityGrant): JsonObject {
  const { grantVersion, expiresAt, scopes, ...rest } = grant
  return {
    ...rest,
    scopes: [...scopes],
    grantVersion: grantVersion.toString(),
    expiresAt: expiresAt.toString(),
  }
}

/**
 * A personal server and a gateway in one, which hold requests against what the protocol asks for: who signed, for this server and path, now, once,
 * under a grant that was not taken back.
 */
export function personalServer(grant: PortabilityGrant, now: () => Date) {
  const nonces = new Set<string>()
  const state = {
    /** Its own address, once it listens. */
    url: '',
    revoked: false,
    /** Who reads by the registry. */
    grantee: reader.address as Address,
    envelope: { version: '1.0', scope, collectedAt: '2026-11-19T08:00:00.000Z', data: payslip } as unknown,
    reads: 0,
    asked: [] as string[],
  }
  const refuse = (code: number, errorCode: string) => ({
    code,
    body: { error: { code, errorCode, message: errorCode } },
  })

  async function answer(path: string, authorization: string) {
    if (path === `/v1/grants/${grant.grantId}`) {
      const revokedAt = state.revoked ? '2026-11-19T09:00:00.000Z' : null
      return { code: 200, body: { data: { ...wireGrant(grant), revokedAt }, proof: {} } }
    }
    if (path !== `/v1/data/${scope}`) return refuse(404, 'NOT_FOUND')
    const [, payload = '', signature = ''] = /^Web3Signed ([\w-]+)\.(0x[0-9a-f]+)$/.exec(authorization) ?? []
    if (signature === '') return refuse(401, 'MISSING_AUTH')
    const claims = JSON.parse(new TextDecoder().decode(decodeBase64Url(payload)))
    const signer = await recoverMessageAddress({ message: payload, signature: signature as Hex })
    const seconds = Math.floor(now().getTime() / 1000)
    const isThisRequest =
      claims.aud === state.url && claims.method === 'GET' && claims.uri === path && !nonces.has(claims.nonce)
    if (!isThisRequest || claims.bodyHash !== `sha256:${emptyDigest}`) return refuse(401, 'INVALID_SIGNATURE')
    if (claims.iat > seconds + 60 || claims.exp < seconds - 60) return refuse(401, 'EXPIRED_TOKEN')
    nonces.add(claims.nonce)
    if (signer !== state.grantee) return refuse(401, 'UNREGISTERED_BUILDER')
    if (claims.grantId !== grant.grantId) return refuse(403, 'GRANT_REQUIRED')
    if (state.revoked) return refuse(403, 'GRANT_REVOKED')
    state.reads += 1
    return { code: 200, body: state.envelope }
  }

  const listener: RequestListener = (request, response) => {
    const path = request.url ?? ''
    state.asked.push(path)
    answer(path, request.headers.authorization ?? '').then(
      ({ code, body }) =>
        response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      () => response.writeHead(500).end(),
    )
  }
  return { state, listener }
}

const emptyDigest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
