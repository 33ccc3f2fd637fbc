import {
  type Check,
  measurementDigest,
  type NodeEvidenceVerdict,
  parseAttestationPolicy,
  verifyNodeEvidence,
} from '@sealpool/attest'
import {
  type Address,
  type Digest,
  decodeBase64Url,
  digestOf,
  digestToHex,
  type Hex,
  hpkeRecipient,
  type JsonObject,
  type KeySet,
  keyIdOf,
  keySetDigest,
  parseSignedStatement,
  sha256Digest,
  verifyStatement,
} from '@sealpool/crypto'
import type { ServedPoolAnswer } from '../node-api/messages.js'
import type { ChainFacts } from './chain-facts.js'
import type { GpuJudge } from './gpu-judge.js'
import type { LogAnswer } from './measurement-log.js'
import { readinessSummary, type SummaryLine } from './readiness-summary.js'

/** A pool whose key is published: what {@link verifyPool} can judge. */
export type KeyedPoolAnswer = {
  readonly [Name in keyof Omit<ServedPoolAnswer, 'live'>]: NonNullable<ServedPoolAnswer[Name]>
} & Pick<ServedPoolAnswer, 'live'>

/** A pool whose node, key and policy were verified together. Only {@link verifyPool} makes it, only this can be sealed to. */
export interface VerifiedPool {
  readonly chainId: number
  readonly address: Address
  readonly policyDigest: Digest
  readonly epoch: number
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly keyId: string
  readonly keySet: KeySet
  /** What the node runs, as the registry lists it. */
  readonly measurement: Hex
  /**
   * ISO; from then on a part of what the evidence was judged by is stale, and a yes counts no longer. Null where the evidence
   * names no such moment (SEV-SNP).
   */
  readonly validUntil: string | null
  /** No hardware stands behind the node. */
  readonly simulated: boolean
  /**
   * `live`: the node keeps no copy of what is contributed, by its signed word; each contributor's own store must give it at every job.
   * `escrow`: the pool's store keeps the sealed copy.
   */
  readonly keep: 'escrow' | 'live'
}

/** The answer to "may I send?". */
export interface Readiness {
  /** True only when every check passed. */
  readonly ok: boolean
  /** True unless the node is proved to be hardware: show it wherever you show the answer. */
  readonly simulated: boolean
  /** The answer in people's words: each line stands for some of `checks`, and every check for one line. */
  readonly summary: readonly SummaryLine[]
  /** Every check, with its reason. */
  readonly checks: readonly Check[]
  /** Present only when `ok`. */
  readonly pool: VerifiedPool | undefined
  readonly evidence: NodeEvidenceVerdict
}

const titles = {
  'policy-on-chain': 'The policy that you read is the one on chain',
  'node-on-chain': 'The node is registered on chain and active, with this key set',
  'pool-key-statement': 'The node itself signed the pool key, for this pool, policy and epoch',
  'pool-key-on-chain': 'The pool key is the one on chain',
  'measurement-on-chain':
    'The code that the node runs is the one that it is registered with and that the pool demands',
  'measurement-logged': 'The code that the node runs stands in the public log',
  live: 'The node signed that it keeps no copy',
  gpus: 'The node’s GPUs are confidential',
} as const

/** Types are structural: this set is what keeps a hand-made "verified" pool from being sealed to. */
const made = new WeakSet<VerifiedPool>()

/**
 * Whether a value is a pool that {@link verifyPool} verified, unchanged since.
 *
 * @param pool the value
 */
export function isVerifiedPool(pool: VerifiedPool): boolean {
  // The object is frozen, its key's bytes cannot be.
  return made.has(pool) && keyIdOf(pool.publicKey) === pool.keyId
}

/**
 * Verifies everything that stands between an export and its sealing: the node's evidence under the policy's own attestation
 * rules, the node's registration, and that the pool key is the node's, for this policy, as the chain says.
 *
 * @param options - what was read of pool, node, chain and log, and the moment to judge it at
 * @param options.policy the pool's policy as the contributor read it
 * @param options.pool the pool's contract
 * @param options.chainId the chain that `chain` was read from
 * @param options.nodeRegistry the registry contract that node statements are made for
 * @param options.served what the node says of the pool
 * @param options.evidence what the node sent for `nonce`; any JSON
 * @param options.nonce 32 fresh random bytes
 * @param options.chain what the chain says
 * @param options.logged what the public log says of the registered measurement; absent: the caller does not ask for a log
 * @param options.gpus judges what the evidence shows of the node's GPUs; absent: the caller does not ask for any
 * @param options.at the moment for which the answer holds
 * @returns the checklist; `pool` only when all of it passed
 * @throws AttestError `BAD_EVIDENCE`, `BAD_QUOTE`, `BAD_POLICY` when there is nothing to judge; CryptoError when `policy`
 *   is not JSON
 */
export function verifyPool(options: {
  readonly policy: JsonObject
  readonly pool: Address
  readonly chainId: number
  readonly nodeRegistry: Address
  readonly served: KeyedPoolAnswer
  readonly evidence: JsonObject
  readonly nonce: Hex
  readonly chain: ChainFacts
  readonly logged?: LogAnswer | undefined
  readonly gpus?: GpuJudge | undefined
  readonly at: Date
}): Readiness {
  const { policy, served, chain, chainId } = options
  const address = options.pool.toLowerCase() as Address
  const evidence = verifyNodeEvidence({
    evidence: options.evidence,
    policy: parseAttestationPolicy(policy['attestation']),
    at: options.at,
    nonce: options.nonce,
  })
  const { keySet } = evidence
  const policyDigest = digestOf(policy)
  const publicKey = decodeKey(served.poolKey.publicKey)
  const signer = keySet.statement.address

  const own: Check[] = []
  const check = (id: keyof typeof titles, problem: string | undefined, fine: string) => {
    const result = problem === undefined ? 'pass' : 'fail'
    own.push({ id, title: titles[id], result, detail: problem ?? fine })
  }
  check('policy-on-chain', policyProblem(policyDigest, chain), policyDigest)
  check('node-on-chain', nodeProblem(keySet, chain), signer)
  check(
    'pool-key-statement',
    statementProblem({ ...options, pool: address, policyDigest, signer }),
    `epoch ${served.epoch}`,
  )
  check(
    'pool-key-on-chain',
    servedKeyProblem({ served, chain, publicKey, policyDigest }),
    served.poolKey.keyId,
  )
  const measurement = measuredCode(evidence)
  check('measurement-on-chain', measurementProblem(measurement, chain), measurement ?? '')
  if (served.live !== null) {
    // A statement of before a switch names the key set of other settings.
    const said = { keySet: keySetDigest(keySet) }
    const problem = statedProblem('live-pool', served.live, { ...options, pool: address, signer }, said)
    check('live', problem, 'live')
  }
  if (options.logged !== undefined) {
    own.push({ id: 'measurement-logged', title: titles['measurement-logged'], ...options.logged })
  }
  const gpus = options.gpus?.({ shown: evidence.gpu, hardware: evidence.verdict, at: options.at })
  if (gpus !== undefined) {
    const said = [`${gpus.answer}:`, ...gpus.reasons, ...gpus.limits].join(' ')
    check('gpus', gpus.answer === 'allowed' ? undefined : said, said)
  }

  const ok = evidence.ok && own.every(({ result }) => result === 'pass')
  const { simulated } = evidence.verdict
  const checks = [...evidence.checks, ...own]
  const answer = { ok, simulated, summary: readinessSummary(checks, simulated), checks, evidence }
  const { claims } = evidence.verdict
  const validUntil = 'collateral' in claims ? (claims.collateral?.nextUpdate ?? null) : null
  if (!ok || publicKey === undefined || measurement === undefined)
    return { ...answer, ok: false, pool: undefined }
  const { epoch, poolKey } = served
  const pool: VerifiedPool = Object.freeze({
    chainId,
    address,
    policyDigest,
    epoch,
    publicKey,
    keyId: poolKey.keyId,
    keySet,
    measurement,
    validUntil,
    simulated,
    keep: served.live === null ? 'escrow' : 'live',
  })
  made.add(pool)
  return { ...answer, pool }
}

/**
 * Why a pool that was verified is no longer what the chain says, or undefined when it still is.
 *
 * @param pool from {@link verifyPool}
 * @param chain what the chain says now
 */
export function changedOnChain(pool: VerifiedPool, chain: ChainFacts): string | undefined {
  const { epoch, publicKey, policyDigest } = pool
  return (
    policyProblem(policyDigest, chain) ??
    nodeProblem(pool.keySet, chain) ??
    measurementProblem(pool.measurement, chain) ??
    keyProblem({ epoch, publicKey, policyDigest }, chain)
  )
}

function policyProblem(policyDigest: Digest, chain: ChainFacts): string | undefined {
  return chain.policyDigest === digestToHex(policyDigest)
    ? undefined
    : 'the chain names another policy; read that one first'
}

function nodeProblem(keySet: KeySet, { node, keyEpoch }: ChainFacts): string | undefined {
  if (!node.active) return 'the registry does not list the epoch’s node as active'
  if (keyEpoch.node.toLowerCase() !== keySet.statement.address)
    return 'the pool’s key epoch belongs to another node'
  if (node.keySetDigest !== digestToHex(keySetDigest(keySet)))
    return 'the registry holds another key set for it'
  return undefined
}

/** What a guest runs, in the one number that the registry lists; undefined for evidence that is no guest's (SGX). */
function measuredCode({ verdict }: NodeEvidenceVerdict): Hex | undefined {
  const { claims } = verdict
  return claims.tee === 'sgx' ? undefined : measurementDigest(claims)
}

function measurementProblem(measurement: Hex | undefined, chain: ChainFacts): string | undefined {
  if (measurement === undefined) return 'the evidence names no code of a confidential VM'
  if (chain.node.measurement !== measurement) return 'the node is registered with other code'
  const anything = /^0x0{64}$/.test(chain.measurement)
  if (!anything && chain.measurement !== measurement) return 'the pool demands other code'
  return undefined
}

function keyProblem(
  key: { readonly epoch: number; readonly publicKey: Uint8Array; readonly policyDigest: Digest },
  { keyEpoch }: ChainFacts,
): string | undefined {
  if (keyEpoch.epoch !== key.epoch) return 'the chain is at another epoch'
  if (keyEpoch.policyDigest !== digestToHex(key.policyDigest)) return 'the epoch was made for another policy'
  if (keyEpoch.keyDigest !== digestToHex(sha256Digest(key.publicKey)))
    return 'the chain holds the digest of another key'
  return undefined
}

function servedKeyProblem(options: {
  readonly served: KeyedPoolAnswer
  readonly chain: ChainFacts
  readonly publicKey: Uint8Array | undefined
  readonly policyDigest: Digest
}): string | undefined {
  const { served, publicKey, policyDigest } = options
  if (publicKey === undefined) return 'it is not an X25519 key'
  if (served.poolKey.keyId !== keyIdOf(publicKey)) return 'its name is not its own'
  return keyProblem({ epoch: served.epoch, publicKey, policyDigest }, options.chain)
}

/** For which pool, where, and by whom a statement must be made. */
interface StatementPlace {
  readonly served: KeyedPoolAnswer
  readonly pool: Address
  readonly chainId: number
  readonly nodeRegistry: Address
  readonly signer: Address
}

function statementProblem(options: StatementPlace & { readonly policyDigest: Digest }): string | undefined {
  const { epoch, poolKey, statement } = options.served
  const said = { policy: options.policyDigest, epoch, publicKey: poolKey.publicKey }
  return statedProblem('pool-key', statement, options, said)
}

function statedProblem(
  type: string,
  given: unknown,
  options: StatementPlace,
  said: JsonObject,
): string | undefined {
  try {
    const signed = parseSignedStatement(given)
    const { statement, context } = signed
    if (!verifyStatement(signed, { signer: options.signer })) return 'its signature is not the node’s'
    if (statement.type !== `sealpool/${type}` || statement.version !== 1)
      return 'it is a statement on something else'
    if (context.chainId !== options.chainId) return 'it was made for another chain'
    if (context.registry.toLowerCase() !== options.nodeRegistry.toLowerCase())
      return 'it was made for another registry'
    if (context.pool.toLowerCase() !== options.pool) return 'it was made for another pool'
    const other = Object.keys(said).find((name) => statement.body[name] !== said[name])
    return other && `it names another ${other}`
  } catch {
    return 'it is not a signed statement'
  }
}

function decodeKey(text: string): Uint8Array | undefined {
  try {
    const publicKey = decodeBase64Url(text)
    // Refuses other lengths, and points with which every private key agrees on one known secret.
    hpkeRecipient({ publicKey })
    return publicKey
  } catch {
    return undefined
  }
}
