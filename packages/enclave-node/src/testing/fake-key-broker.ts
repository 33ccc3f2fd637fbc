/**
 * A key broker after the document of its makers (Trustee's KBS attestation protocol: request, challenge, attestation, response,
 * sessions by cookie, JWE to the attested key). It verifies quotes of the simulator; a real one was not run.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { verifyQuote } from '@sealpool/attest'
import type { Simulator } from '@sealpool/attest/simulator'
import { canonicalBytes } from '@sealpool/crypto'
import { sealJwe } from '../key/jwe.js'

/** How a fake broker behaves. */
export interface FakeBroker {
  /** Whose quotes it accepts. */
  readonly simulator: Simulator
  /** Gives a resource to who was attested; undefined: there is none. */
  readonly resource: (path: string) => Uint8Array | undefined
  /** Whether it gives it to code with this measurement (MRTD in hex). */
  readonly allows?: (mrTd: string) => boolean
  /** Changes what is answered at a path; `hang`: says nothing. */
  answer?: (path: string, given: Answer) => Answer | 'hang'
  readonly asked?: string[]
  /** Where it listens; any free port when absent. */
  readonly port?: number
}
interface Answer {
  readonly status: number
  readonly body: unknown
  readonly cookie?: string
}
interface Session {
  readonly nonce: string
  key?: { readonly x: string; readonly y: string }
  allowed?: boolean
}

/** Starts a broker. @returns its base address and its end */
export async function startFakeBroker(
  broker: FakeBroker,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const sessions = new Map<string, Session>()
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const path = (request.url ?? '').replace('/kbs/v0/', '')
    broker.asked?.push(path)
    const text = Buffer.concat(parts).toString()
    const id = /kbs-session-id=([a-z0-9]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
    const given = answer(path, text === '' ? {} : (JSON.parse(text) as Record<string, unknown>), id)
    const changed = broker.answer?.(path, given) ?? given
    if (changed === 'hang') return
    response.statusCode = changed.status
    response.setHeader('content-type', 'application/json')
    if (changed.cookie !== undefined)
      response.setHeader('set-cookie', `kbs-session-id=${changed.cookie}; Path=/; HttpOnly`)
    response.end(typeof changed.body === 'string' ? changed.body : JSON.stringify(changed.body))
  })

  function answer(path: string, body: Record<string, unknown>, id: string): Answer {
    if (path === 'auth') {
      const fresh = randomBytes(16).toString('hex')
      const nonce = randomBytes(32).toString('base64')
      sessions.set(fresh, { nonce })
      const known = body['version'] === '0.4.0' && body['tee'] === 'tdx'
      return known
        ? { status: 200, body: { nonce, 'extra-params': '' }, cookie: fresh }
        : { status: 401, body: {} }
    }
    const session = sessions.get(id)
    if (session === undefined) return { status: 401, body: {} }
    if (path === 'attest') {
      const runtime = body['runtime-data'] as { nonce: string; 'tee-pubkey': { x: string; y: string } }
      const evidence = body['tee-evidence'] as { primary_evidence: { quote: string } }
      const quote = Uint8Array.from(Buffer.from(evidence.primary_evidence.quote, 'base64'))
      const verdict = verifyQuote(quote, {
        collateral: broker.simulator.collateral(new Date()),
        at: new Date(),
        trustedRoots: [broker.simulator.rootDigest],
      })
      const { claims } = verdict
      const expected = createHash('sha384').update(canonicalBytes(runtime)).digest('hex')
      const bound = claims.reportData === `0x${expected}${'00'.repeat(16)}`
      if (!verdict.ok || !bound || runtime.nonce !== session.nonce || claims.tee !== 'tdx')
        return { status: 401, body: {} }
      session.key = runtime['tee-pubkey']
      session.allowed = broker.allows?.(claims.mrTd) ?? true
      return { status: 200, body: { token: 'x.y.z' }, cookie: id }
    }
    if (session.key === undefined) return { status: 401, body: {} }
    const resource = session.allowed === true ? broker.resource(path.replace('resource/', '')) : null
    if (resource === null) return { status: 403, body: {} }
    return resource === undefined
      ? { status: 404, body: {} }
      : { status: 200, body: sealJwe(resource, session.key) }
  }

  await new Promise<void>((resolve) => server.listen(broker.port ?? 0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
