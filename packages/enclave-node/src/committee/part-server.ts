/**
 * A member's side of key release by a committee: the protocol of a key broker (request, challenge, attestation, response), of which
 * the only resource is this member's part of opening a root that stands in its settings.
 *
 * Refused by default: an asker gets a part when its quote is over this very conversation and its measured settings, the chain allows
 * what it runs, the settings name its settings for this root, and this node is itself listed with its present keys.
 * @module
 */
import { canonicalBytes, type Digest, type Hex, type JsonObject } from '@sealpool/crypto'
import * as z from 'zod'
import type { AuditFact } from '../audit/audit-chain.js'
import type { ChainPort } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { sealJwe } from '../key/jwe.js'
import { runtimeReportData } from '../key/key-broker.js'
import type { PeerRules } from '../peer/attest-peer.js'
import { judgeQuote } from '../peer/judge-quote.js'
import { challenges } from './challenge.js'

/** A root of which this member holds a share. */
export interface PartOfRoot {
  /** The resource under which the part is asked for. */
  readonly resource: string
  /** Digest of the sealed root, for the audit log. */
  readonly envelope: Digest
  /** Digests of the measured settings of the nodes that may have it. */
  readonly configs: ReadonlySet<Digest>
  /** Makes the part. */
  readonly part: () => JsonObject
}

/** What a member serves, and whom it believes. */
export interface PartServerOptions extends PeerRules {
  readonly roots: readonly PartOfRoot[]
  readonly chain: Pick<ChainPort, 'measurementAllowed'>
  /** Whether the registry lists this node as active, with its present key set. */
  readonly isListed: () => Promise<boolean>
  /** True when this node does no work now, by an incident's order: no part leaves it. */
  readonly stopped: () => boolean
  readonly audit: { write(fact: AuditFact): void; count(fact: AuditFact): void }
  /** A CSPRNG. */
  readonly random: (length: number) => Uint8Array
  /** Unix seconds. */
  readonly now: () => number
  /** Most conversations with a good quote that are remembered until their time is over; 1,000 unless told. */
  readonly capacity?: number
}

/** One answer; `cookie`: the conversation's name. */
export interface PartAnswer {
  readonly status: 200 | 400 | 401 | 403 | 404 | 503
  readonly body: JsonObject
  readonly cookie?: string
}

/** The three calls of the protocol. */
export interface PartServer {
  auth(body: unknown): PartAnswer
  attest(conversation: string | undefined, body: unknown): PartAnswer
  resource(conversation: string | undefined, path: string): Promise<PartAnswer>
}

/** One whose quote was good: whoever has none is not remembered. */
interface Conversation {
  readonly until: number
  /** Null once it was answered: neither challenge nor quote counts twice. */
  readonly asker: {
    readonly key: { readonly x: string; readonly y: string }
    readonly measurement: Hex
    readonly config: Digest
  } | null
}

const requestSchema = z.looseObject({ version: z.literal('0.4.0'), tee: z.enum(['tdx', 'snp']) })
const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const attestationSchema = z.strictObject({
  'runtime-data': z.strictObject({
    nonce: z.string().max(200),
    'tee-pubkey': z.strictObject({
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      alg: z.literal('ECDH-ES+A256KW'),
      x: coordinate,
      y: coordinate,
    }),
    config: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  }),
  'tee-evidence': z.strictObject({
    primary_evidence: z.strictObject({ quote: z.string().max(200_000) }),
    additional_evidence: z.string().max(200_000),
  }),
})

/** @returns the member's side of the protocol, with no conversation begun */
export function partServer(options: PartServerOptions): PartServer {
  const { roots, chain, audit, now, capacity = 1_000 } = options
  const challenge = challenges(options)
  const conversations = new Map<string, Conversation>()
  const refuse = (status: PartAnswer['status'], reason: string): PartAnswer => {
    audit.count({ event: 'part-refused', facts: { reason } })
    // Whoever asks learns that it was refused; why stands in the log of the operator.
    return { status, body: { type: status === 401 ? 'attestation-failed' : 'refused' } }
  }
  const forget = (): void => {
    for (const [name, { until }] of conversations) if (until < now()) conversations.delete(name)
  }

  return {
    auth(body) {
      if (!requestSchema.safeParse(body).success) return refuse(400, 'request')
      const nonce = challenge.issue()
      return { status: 200, body: { nonce, 'extra-params': '' }, cookie: nonce }
    },
    attest(name, body) {
      const until = name === undefined ? null : challenge.goodUntil(name)
      if (name === undefined || until === null || conversations.has(name)) return refuse(401, 'conversation')
      const read = attestationSchema.safeParse(body)
      if (!read.success) return refuse(400, 'attestation')
      const { 'runtime-data': runtime, 'tee-evidence': evidence } = read.data
      if (runtime.nonce !== name) return refuse(401, 'nonce')
      try {
        const { measurement } = judgeQuote({
          ...options,
          quote: Uint8Array.from(Buffer.from(evidence.primary_evidence.quote, 'base64')),
          collateral: collateralIn(evidence.additional_evidence),
          reportData: runtimeReportData(runtime),
          at: new Date(now() * 1000),
          place: 'asker',
        })
        const { x, y } = runtime['tee-pubkey']
        const asker = { key: { x, y }, measurement, config: runtime.config as Digest }
        forget()
        if (conversations.size >= capacity) return refuse(503, 'busy')
        conversations.set(name, { until, asker })
        return { status: 200, body: { token: '' }, cookie: name }
      } catch (cause) {
        if (cause instanceof NodeError && cause.code === 'PEER_NOT_ATTESTED') return refuse(401, 'quote')
        throw cause
      }
    },
    async resource(name, path) {
      const begun = name === undefined ? undefined : conversations.get(name)
      if (name === undefined || begun === undefined || begun.asker === null || begun.until < now())
        return refuse(401, 'conversation')
      conversations.set(name, { ...begun, asker: null })
      const { key, measurement, config } = begun.asker
      if (!(await options.isListed())) return refuse(503, 'not-listed')
      if (!(await chain.measurementAllowed(measurement))) return refuse(403, 'measurement')
      const root = roots.find(({ resource }) => resource === path)
      // The same answer for a root that there is not: what a member holds is told to nobody.
      if (root === undefined) return refuse(403, 'root')
      if (!root.configs.has(config)) return refuse(403, 'settings')
      if (options.stopped()) return refuse(503, 'stopped')
      const sealed = sealJwe(canonicalBytes(root.part()), key)
      if (sealed === undefined) return refuse(401, 'key')
      audit.write({ event: 'part-given', facts: { root: root.envelope, measurement, settings: config } })
      return { status: 200, body: sealed }
    },
  }
}

function collateralIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'collateral' in value ? value.collateral : undefined
  } catch {
    return undefined
  }
}
