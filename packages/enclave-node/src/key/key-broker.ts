/**
 * Secrets from a key broker in the manner of Trustee's KBS: request, challenge, attestation, response (RCAR). The quote is over
 * the broker's nonce and a key that was made for this one conversation, and the secret comes encrypted to that key.
 * @module
 */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { canonicalBytes, type Digest, type JsonObject, sha256Digest } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { type QuoteProvider, teeOf } from '../evidence/quote-provider.js'
import { openJwe } from './jwe.js'
import type { KeyRelease } from './key-release.js'

/** Where and how a broker is asked. */
export interface BrokerOptions {
  /** Base address; `/kbs/v0/…` is added. */
  readonly url: string
  readonly quotes: Pick<QuoteProvider, 'quote'>
  /** Milliseconds for each of the three requests. */
  readonly timeoutMs: number
  /** For members of a committee, which are no brokers of the Trustee kind: what they are told besides. */
  readonly member?: {
    /** Digest of this node's measured settings; the quote is over it as well. */
    readonly config: Digest
    /** What the quote is verified with. */
    readonly collateral: (quote: Uint8Array) => Promise<object>
  }
  /** Another fetch, for tests. */
  readonly fetch?: typeof globalThis.fetch
}

const protocolVersion = '0.4.0'
const maximumAnswerBytes = 256 * 1024
const challengeSchema = z.object({ nonce: z.string().min(1).max(1_024) })
const jwkSchema = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() })

/**
 * Asks a broker for one resource.
 * @param resource `<repository>/<type>/<tag>`
 * @returns the resource's bytes
 * @throws NodeError `KEY_UNREADABLE` whatever goes wrong; the message names the step and never the secret
 */
export async function brokerResource(options: BrokerOptions, resource: string): Promise<Uint8Array> {
  const { quotes, timeoutMs, fetch = globalThis.fetch } = options
  const base = `${options.url.replace(/\/+$/, '')}/kbs/v0`
  const ask = async (step: string, path: string, init: RequestInit) => {
    try {
      const response = await fetch(`${base}/${path}`, {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      const json = await boundedJson(response)
      if (response.ok) return { json, cookie: sessionOf(response) }
      throw failed(step, `the broker answered ${response.status}`)
    } catch (cause) {
      throw cause instanceof NodeError
        ? cause
        : failed(step, 'the broker gave no answer that can be read', cause)
    }
  }
  const post = (body: JsonObject, cookie?: string): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie }) },
    body: JSON.stringify(body),
  })

  const { member } = options
  const tee = teeOf(await quotes.quote(new Uint8Array(64)))
  if (tee !== 'tdx' && member === undefined) {
    throw failed('request', 'evidence of SEV-SNP for key brokers is not written yet; use another key release')
  }
  const request = { version: protocolVersion, tee: tee === 'tdx' ? 'tdx' : 'snp', 'extra-params': '' }
  const challenged = await ask('request', 'auth', post(request))
  const challenge = challengeSchema.safeParse(challenged.json)
  const { cookie } = challenged
  if (!challenge.success || cookie === undefined) throw failed('challenge', 'it has no nonce, or no session')

  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = jwkSchema.parse(publicKey.export({ format: 'jwk' }))
  const runtime = {
    nonce: challenge.data.nonce,
    'tee-pubkey': { kty, crv, alg: 'ECDH-ES+A256KW', x, y },
    ...(member === undefined ? {} : { config: member.config }),
  }
  const quote = await quotes.quote(runtimeReportData(runtime))
  const evidence = {
    primary_evidence: { quote: Buffer.from(quote).toString('base64') },
    additional_evidence:
      member === undefined ? '{}' : JSON.stringify({ collateral: await member.collateral(quote) }),
  }
  const attested = await ask(
    'attestation',
    'attest',
    post({ 'runtime-data': runtime, 'tee-evidence': evidence }, cookie),
  )
  const answer = await ask('response', `resource/${resource}`, {
    headers: { cookie: attested.cookie ?? cookie },
  })
  const opened = openJwe(answer.json, privateKey)
  if (opened === undefined) throw failed('response', 'it is not encrypted to the key that was attested')
  return opened
}

/**
 * What a quote to a broker is over: SHA-384 of the runtime data's canonical JSON, and zeros.
 * @param runtime nonce and public key, as the attestation carries them
 */
export function runtimeReportData(runtime: JsonObject): Uint8Array {
  const reportData = new Uint8Array(64)
  reportData.set(createHash('sha384').update(canonicalBytes(runtime)).digest())
  return reportData
}

/**
 * The digest of a root secret by which a node knows it again. It stands in the measured settings, so that whoever stands in for
 * the broker cannot give the node a secret of his own.
 * @param root 32 secret bytes
 */
export function rootDigest(root: Uint8Array): Digest {
  const label = new TextEncoder().encode('sealpool/node-root/1\n')
  return sha256Digest(new Uint8Array([...label, ...root]))
}

/**
 * Key release by a key broker.
 * @param options `resource`: `<repository>/<type>/<tag>`; `root`: {@link rootDigest} of the secret that is expected
 */
export function brokerKeyRelease(
  options: BrokerOptions & { readonly resource: string; readonly root: Digest },
): KeyRelease {
  return {
    name: 'key-broker',
    simulated: false,
    async release() {
      const root = await brokerResource(options, options.resource)
      if (root.length === 32 && rootDigest(root) === options.root) return root
      throw failed('response', 'it is another secret than the settings name')
    },
  }
}

function sessionOf(response: Response): string | undefined {
  return response.headers
    .getSetCookie()
    .map((line) => /^(kbs-session-id=[A-Za-z0-9._-]{1,200})(;|$)/.exec(line)?.[1])
    .find((found) => found !== undefined)
}

async function boundedJson(response: Response): Promise<unknown> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > maximumAnswerBytes) throw failed('answer', `it is larger than ${maximumAnswerBytes} bytes`)
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  return text === '' ? null : (JSON.parse(text) as unknown)
}

function failed(step: string, why: string, cause?: unknown): NodeError {
  return new NodeError('KEY_UNREADABLE', `key broker, ${step}`, why, { cause })
}
