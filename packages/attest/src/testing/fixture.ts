import { sha256, sha384 } from '@noble/hashes/sha2.js'
import {
  addressOf,
  canonicalBytes,
  type Digest,
  digestOf,
  encodeBase64Url,
  encodeHex,
  type JsonObject,
  type JsonValue,
  type KeySet,
  keySetDigest,
  type StatementContext,
  sha256Digest,
  signStatement,
} from '@sealpool/crypto'
import type { TdxNodeEvidence } from '../evidence/node-evidence.js'
import { nodeReportData, zeroNonce } from '../evidence/report-data.js'
import { type AttestationPolicy, defaultAttestationPolicy } from '../policy/policy.js'
import type { ReceiptBody } from '../receipt/receipt.js'
import { verdictsRoot } from '../receipt/verify.js'
import { createSimulator } from '../simulator/index.js'

/** The moment of all fixtures. */
export const at = new Date('2026-11-20T12:00:00Z')

/** Bytes that look random and are the same in every run. */
export function seededRandom(seed: string): (length: number) => Uint8Array {
  let counter = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let offset = 0; offset < length; offset += 32) {
      counter += 1
      bytes.set(sha256(new TextEncoder().encode(`${seed} ${counter}`)).subarray(0, length - offset), offset)
    }
    return bytes
  }
}

export const simulator = createSimulator({ random: seededRandom('fixture'), at })
export const mrTd = sha384(new TextEncoder().encode('fixture measurement'))
const statementKey = sha256(new TextEncoder().encode('fixture statement key'))

export const keySet: KeySet = {
  format: 'sealpool/key-set',
  version: 1,
  hpke: { kem: 'x25519', publicKey: encodeBase64Url(sha256(new TextEncoder().encode('fixture hpke'))) },
  statement: { scheme: 'eip712-secp256k1', address: addressOf(statementKey) },
  config: sha256Digest(new Uint8Array([1])),
}

/** A policy that allows the fixture's simulator and its measurement. */
export const trust: AttestationPolicy = {
  ...defaultAttestationPolicy,
  roots: [simulator.rootDigest],
  allowSimulator: true,
  measurements: [{ name: 'fixture', mrTd: encodeHex(mrTd) }],
}

export const quote = simulator.quote({ reportData: nodeReportData(keySet), mrTd })

export const evidence: TdxNodeEvidence = {
  format: 'sealpool/node-evidence',
  version: 1,
  tee: 'tdx',
  quote: encodeBase64Url(quote),
  collateral: simulator.collateral(at),
  keySet,
  nonce: zeroNonce,
  simulated: true,
}

const pools = [
  '0x00000000000000000000000000000000000000aa',
  '0x00000000000000000000000000000000000000bb',
] as const
const consumer = '0x00000000000000000000000000000000000000cc'
const names = ['pay', 'people'] as const

/** A pool policy as far as receipts look at it. */
export function poolPolicy(name: string, attestation: AttestationPolicy = trust): JsonObject {
  return {
    format: 'sealpool/pool-policy',
    version: 1,
    name,
    attestation: attestation as unknown as JsonObject,
    code: { poc: digestOf('poc'), refiner: digestOf('refiner'), computations: ['linear-regression'] },
    privacy: { accounting: 'basic', epsilon: 6, delta: 1e-6, perJob: { epsilon: 2, delta: 2.5e-7 } },
  }
}

/** Everything that a released job leaves behind, before it is signed. */
export function jobParts(kind: 'query' | 'compute' = 'query') {
  const policies = names.map((name) => poolPolicy(name))
  const manifest: JsonObject = {
    format: 'sealpool/job-manifest',
    version: 1,
    kind,
    pools: pools.map((address, i) => ({ address, name: names[i] ?? '' })),
    query: kind === 'query' ? { sql: 'select 1' } : null,
    compute: kind === 'compute' ? { computation: 'linear-regression', parameters: {} } : null,
    consumer: { address: consumer },
  }
  const code = kind === 'compute' ? digestOf('code') : null
  const charge = { epsilon: 0.75, delta: 1e-7 }
  const plan: JsonObject = {
    steps: ['noise'],
    ...(code === null
      ? { pools: pools.map((address) => ({ address, charge })) }
      : { code, charge: Object.fromEntries(pools.map((address) => [address, charge])) }),
  }
  const result = canonicalBytes({ rows: [[1, 2.5]] })
  const sealedResult = seededRandom('sealed')(200)
  const verdicts: Record<string, Digest[]> = {}
  pools.forEach((pool, i) => {
    verdicts[pool] = [1, 2, 3].map((n) => digestOf(`verdict ${i} ${n}`))
  })
  const head = (n: number) => digestOf(`ledger ${n}`)
  const totals = { epsilonTotal: '6', deltaTotal: '0.000001' }
  const body: ReceiptBody = {
    job: { id: '7', kind, manifest: digestOf(manifest), consumer },
    outcome: 'released',
    refusal: null,
    pools: pools.map((pool, i) => ({
      pool,
      name: names[i] ?? '',
      policy: digestOf(policies[i] as JsonObject),
      epoch: 1,
      inputs: { root: digestOf(`inputs ${i}`), count: 3 },
      verdicts: verdictsRoot(verdicts[pool] ?? []),
      budget: {
        before: { epsilonSpent: '1.5', deltaSpent: '0.0000001', ...totals, version: 3, head: head(3) },
        after: { epsilonSpent: '2.25', deltaSpent: '0.0000002', ...totals, version: 4, head: head(4) },
        charged: { epsilon: '0.75', delta: '0.0000001' },
      },
    })),
    code,
    plan: digestOf(plan),
    approvals: pools.map((pool) => ({ pool, block: '12', price: '50' })),
    result: {
      digest: sha256Digest(result),
      sealed: sha256Digest(sealedResult),
      mediaType: 'application/json',
    },
    keySet: keySetDigest(keySet),
    quote: sha256Digest(quote),
    isolation: 'bubblewrap',
    simulated: true,
    issuedAt: '2026-11-20T11:59:00Z',
  }
  return { policies, manifest, plan, result, sealedResult, verdicts, body }
}

/** Chain and registry for which the fixture's receipts are signed. */
export const deployment = {
  chainId: 31337,
  registry: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
} as const

/** Signs a receipt body as the fixture's node. */
export function signReceipt(
  body: ReceiptBody,
  privateKey: Uint8Array = statementKey,
  context: Partial<StatementContext> = {},
) {
  return signStatement({
    statement: { type: 'sealpool/receipt', version: 1, body: body as unknown as JsonObject },
    context: {
      ...deployment,
      pool: pools[0],
      subject: `0x${'00'.repeat(31)}07`,
      nonce: '0',
      facts: [],
      ...context,
    },
    privateKey,
  })
}

/** A whole bundle that verifies, with changes to the body if wanted. */
export function bundle(
  change: (body: ReceiptBody) => ReceiptBody = (body) => body,
  kind?: 'query' | 'compute',
) {
  const parts = jobParts(kind)
  const { policies, manifest, plan, result, sealedResult, verdicts } = parts
  const receipt = signReceipt(change(parts.body))
  return {
    receipt,
    evidence: evidence as unknown,
    policies,
    manifest,
    plan,
    result,
    sealedResult,
    verdicts,
    deployment,
    trust,
    at,
  }
}

/** The files of a bundle folder. */
export function bundleFiles(): Record<string, Uint8Array> {
  const { receipt, policies, manifest, plan, result, sealedResult, verdicts } = bundle()
  const json = (value: unknown) => canonicalBytes(value as JsonValue)
  return {
    'receipt.json': json(receipt),
    'evidence.json': json(evidence),
    'manifest.json': json(manifest),
    'plan.json': json(plan),
    'result.json': result,
    'result.sealed': sealedResult,
    ...Object.fromEntries(policies.map((policy, i) => [`policy-${pools[i]}.json`, json(policy)])),
    ...Object.fromEntries(
      Object.entries(verdicts).map(([pool, list]) => [`verdicts-${pool}.json`, json(list)]),
    ),
  }
}
