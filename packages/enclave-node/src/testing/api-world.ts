/**
 * An API with real authentication over a node that answers the same to everybody, and callers of every role.
 * @module
 */
import type { NodeEvidence } from '@sealpool/attest'
import {
  type AccessRole,
  type NodeAccessOptions,
  nodeAccess,
  openCall,
  type SealedCall,
  sealCall,
  sealedCallType,
} from '@sealpool/client/access'
import { type Address, type JsonValue, platformRandom, type SignedStatement } from '@sealpool/crypto'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { type Authentication, type AuthenticationOptions, openAuthentication } from '../api/authentication.js'
import { nodeApi } from '../api/node-api.js'
import type { NodeService } from '../api/node-service.js'
import type { AuditFact } from '../audit/audit-chain.js'
import { openKeyRing } from '../key/key-ring.js'
import type { ContributionRow } from '../state/contribution-table.js'
import type { JobRow } from '../state/job-table.js'

export const apiUrl = 'https://node.example'
export const apiPool: Address = `0x${'a'.repeat(40)}`
export const otherPool: Address = `0x${'b'.repeat(40)}`
export const apiKeys = openKeyRing(new Uint8Array(32).fill(7), `sha256:${'1'.repeat(64)}`)
export const otherKeys = openKeyRing(new Uint8Array(32).fill(7), `sha256:${'2'.repeat(64)}`)

const wallet = (digit: string): PrivateKeyAccount => privateKeyToAccount(`0x${digit.repeat(64)}`)
/** Contribution 7 is the contributor's, job 7 is the consumer's, over the pool `apiPool`. */
export const wallets = {
  contributor: wallet('1'),
  consumer: wallet('2'),
  operator: wallet('3'),
  peer: wallet('4'),
  stranger: wallet('5'),
}
const lower = ({ address }: PrivateKeyAccount): Address => address.toLowerCase() as Address

/** A manifest as the API takes it. */
export const apiManifest = {
  format: 'sealpool/job-manifest',
  version: 1,
  kind: 'query',
  title: 'Test',
  pools: [{ address: apiPool, name: 'pay' }],
  query: { sql: 'SELECT count(*) FROM pay.workers' },
  compute: null,
  privacy: { epsilon: 1, delta: 0 },
  consumer: { address: lower(wallets.consumer), resultKey: { kem: 'x25519', publicKey: 'A'.repeat(43) } },
  purpose: 'research',
  salt: 'abcdefghijklmnop',
}

const statement = {
  statement: { type: 't', version: 1, body: {} },
  context: {},
  signature: '0x',
} as unknown as SignedStatement
const digest = `sha256:${'0'.repeat(64)}` as const
const plan = { ok: true, explanation: {}, plan: {}, planDigest: digest, live: [] } as const

function serviceOf(): NodeService {
  const job = {
    id: '7',
    consumer: lower(wallets.consumer),
    pools: [apiPool],
    manifestDigest: digest,
    locator: 'x',
    chainState: 'Settled',
    approvals: [],
    state: 'settled',
    reason: null,
    reasonText: null,
    manifest: null,
    plan: null,
    receipt: statement,
    resultDigest: digest,
    sealedResult: new Uint8Array([1, 2, 3]),
    inputs: {},
    reservation: { inputs: [] },
    detached: false,
  } as unknown as JobRow
  const contribution = {
    id: '7',
    pool: apiPool,
    owner: lower(wallets.contributor),
    state: 'refined',
    reason: null,
    reasonText: null,
    score: 1,
    verdictDigest: digest,
  } as unknown as ContributionRow
  return {
    simulated: true,
    evidence: async () => ({ simulated: true }) as unknown as NodeEvidence,
    registeredEvidence: async () => ({ simulated: true }) as unknown as NodeEvidence,
    pools: () => [],
    catalogue: {
      search: () => ({ entries: [], total: 0, next: null }),
      similar: () => undefined,
    },
    policy: () => ({}),
    contribution: async (id) => (id === '7' ? contribution : undefined),
    verdict: async () => statement,
    contributions: async () => ({ states: {}, refused: {} }),
    credentials: { challenge: () => 'nonce', present: async () => [] },
    plan: async () => plan,
    price: async () => ({ ok: true, planDigest: digest, binding: false, price: '0', pools: [] }),
    proposals: async () => [job],
    manifest: async () => null,
    run: async (id) => (id === '7' ? job : undefined),
    job: async (id) => (id === '7' ? job : undefined),
    verdicts: async () => ({}),
    lineage: async () => ({ refinements: [], next: null }),
    work: async () => undefined,
    works: async () => [],
    facts: async () => [],
    rescorings: async () => [],
    rescoredVerdicts: async () => [],
    handOff: undefined,
    shares: async () => undefined,
    shareServer: undefined,
    jobs: async () => ({}),
    budgets: async () => [],
    log: {
      key: 'k',
      statement,
      checkpoint: async () => 'log\n',
      tile: async () => new Uint8Array([0, 255, 128]),
    },
    deletions: async () => ({ retention: { answerDays: null, pools: {} }, lists: [] }),
    audit: () => ({ entries: [], length: 0, digest: null, head: statement }),
    notReady: () => [],
    figures: () => ({}),
  }
}

/** Makes the world. @param change what of authentication is to be otherwise */
export function apiWorld(
  change: Partial<AuthenticationOptions> = {},
  more: { readonly origins?: readonly string[]; readonly service?: Partial<NodeService> } = {},
) {
  const clock = { seconds: 1_790_000_000 }
  const revoked = new Map<string, number>()
  const audited: AuditFact[] = []
  const now = () => clock.seconds
  const authenticationOptions: AuthenticationOptions = {
    open: false,
    chainId: 31_337,
    publicUrl: () => apiUrl,
    keySet: apiKeys.keySetDigest,
    privateKey: apiKeys.hpkePrivateKey,
    tokenKey: apiKeys.accessSecret({ chainId: 31_337, nodeRegistry: apiPool }),
    operators: new Set([lower(wallets.operator)]),
    sessionSeconds: 3_600,
    isPeer: async (address) => address === lower(wallets.peer),
    isContractSignature: async () => false,
    anyRevoked: async (ids) => ids.some((id) => revoked.has(id)),
    revoke: async (id, expires) => {
      revoked.set(id, expires)
    },
    random: platformRandom,
    now,
    audit: { write: (fact) => audited.push(fact), count: (fact) => audited.push(fact) },
    ...change,
  }
  const errors: unknown[] = []
  const start = (authentication: Authentication) =>
    nodeApi(
      { ...serviceOf(), ...more.service },
      (error) => errors.push(error),
      { calls: { perSecond: 1e6, burst: 1e6 }, costly: { perSecond: 1e6, burst: 1e6 } },
      () => 0,
      { authentication, origins: more.origins ?? [] },
    )
  let app = start(openAuthentication(authenticationOptions))
  /** All that ever travelled between client and node, as a proxy sees it. */
  const wire: { readonly url: string; readonly headers: string; readonly bytes: Uint8Array }[] = []
  const note = (url: string, headers: Headers, bytes: ArrayBuffer) =>
    wire.push({ url, headers: JSON.stringify([...headers]), bytes: new Uint8Array(bytes) })
  let gone: AbortSignal | undefined
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, { ...init, ...(gone === undefined ? {} : { signal: gone }) })
    note(request.url, request.headers, await request.clone().arrayBuffer())
    const response = await app.request(new URL(request.url).pathname + new URL(request.url).search, request)
    response.headers.set('date', new Date(now() * 1000).toUTCString())
    note(request.url, response.headers, await response.clone().arrayBuffer())
    return response
  }
  const authentication = {
    nodeUrl: apiUrl,
    chainId: 31_337,
    fetch,
    keySet: async () => apiKeys.keySet,
    random: platformRandom,
    now: () => new Date(now() * 1000),
  }
  const caller = (options: NodeAccessOptions = {}, keySet = apiKeys.keySet) =>
    nodeAccess(options)({ ...authentication, keySet: async () => keySet })
  /** One call inside a sealed call. */
  const call = async (
    method: 'GET' | 'POST',
    path: string,
    options: { readonly token?: string | null; readonly body?: unknown; readonly at?: number } = {},
  ) => {
    const { token = null, body = null, at = now() } = options
    const sealedCall = { method, path, at, token, body: body as JsonValue }
    const { sealed, openAnswer } = await sealCall({
      keySet: apiKeys.keySet,
      call: sealedCall,
      random: platformRandom,
    })
    const response = await post(sealed)
    if (response.status !== 200) return { status: response.status, body: await response.json() }
    const answer = await openAnswer(new Uint8Array(await response.arrayBuffer()))
    return { status: answer.status, body: answer.encoding === 'text' ? parsed(answer.body) : answer.body }
  }
  const post = (sealed: Uint8Array, type = sealedCallType) =>
    fetch(`${apiUrl}/v1/sealed`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: sealed as Uint8Array<ArrayBuffer>,
    })
  return {
    clock,
    revoked,
    audited,
    errors,
    wire,
    fetch,
    caller,
    call,
    post,
    app: () => app,
    /** Ends the connection of every call from now on, when it says so. */
    hangUp(signal: AbortSignal) {
      gone = signal
    },
    /** As after a restart: what the process remembered is gone. */
    restart(other: Partial<AuthenticationOptions> = {}) {
      app = start(openAuthentication({ ...authenticationOptions, ...other }))
    },
    /** Signs in. @returns the token */
    async session(account: PrivateKeyAccount, roles: readonly AccessRole[]): Promise<string> {
      let token = ''
      const spy = nodeAccess({ account, roles })({
        ...authentication,
        fetch: async (input, init) => {
          const body = init?.body
          const response = await fetch(input, init)
          if (body instanceof Uint8Array) {
            const opened = await openCall({
              keySet: apiKeys.keySetDigest,
              privateKey: apiKeys.hpkePrivateKey,
              sealed: body,
              random: platformRandom,
            })
            token = opened.call.token ?? token
          }
          return response
        },
      })
      await spy(`${apiUrl}/v1/audit`)
      return token
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The call of a sealed call, for tests that look inside. */
export type { SealedCall }
