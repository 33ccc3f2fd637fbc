import {
  type Check,
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
  type JsonObject,
  type KeySet,
  keyIdOf,
  keySetDigest,
  parseSignedStatement,
  sha256Digest,
  verifyStatement,
} from '@sealpool/crypto'
import type { ServedPoolAnswer } from '../node-api/messages.js'

/** A pool whose key is published: what {@link verifyPool} can judge. */
export type KeyedPoolAnswer = {
  readonly [Name in keyof ServedPoolAnswer]: NonNullable<ServedPoolAnswer[Name]>
}

/** A pool whose node, key and policy were verified together. Only this can be sealed to. */
export interface VerifiedPool {
  readonly address: Address
  readonly policyDigest: Digest
  readonly epoch: number
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly keyId: string
  readonly keySet: KeySet
  /** No hardware stands behind the node. */
  readonly simulated: boolean
}

/** What the chain says about the pool and the node; read it from a source that you trust. */
export interface ChainFacts {
  readonly policyDigest: Hex
  readonly keyEpoch: {
    readonly epoch: number
    readonly policyDigest: Hex
    readonly keyDigest: Hex
    readonly node: Address
  }
  /** The node registry's record of the epoch's node. */
  readonly node: { readonly active: boolean; readonly keySetDigest: Hex }
}

/** The answer to "may I send?". */
export interface Readiness {
  /** True only when every check passed. */
  readonly ok: boolean
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
} as const

/**
 * Verifies everything that stands between an export and its sealing: the node's evidence under the policy's own attestation
 * rules, the node's registration, and that the pool key is the node's, for this policy, as the chain says.
 *
 * @param options.policy the pool's policy as the contributor read it
 * @param options.served what the node says of the pool
 * @param options.evidence what the node sent for `nonce`; any JSON
 * @param options.chain what the chain says
 * @param options.at the moment for which the answer holds
 * @returns the checklist; `pool` only when all of it passed
 * @throws AttestError `BAD_EVIDENCE`, `BAD_QUOTE`, `BAD_POLICY` when there is nothing to judge
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
  readonly at: Date
}): Readiness {
  const { policy, served, chain } = options
  const pool = options.pool.toLowerCase() as Address
  const evidence = verifyNodeEvidence({
    evidence: options.evidence,
    policy: parseAttestationPolicy(policy['attestation']),
    at: options.at,
    nonce: options.nonce,
  })
  const checks: Check[] = [...evidence.checks]
  const check = (id: keyof typeof titles, problem: string | undefined, fine: string) => {
    checks.push({
      id,
      title: titles[id],
      result: problem === undefined ? 'pass' : 'fail',
      detail: problem ?? fine,
    })
  }

  const policyDigest = digestOf(policy)
  check(
    'policy-on-chain',
    chain.policyDigest === digestToHex(policyDigest)
      ? undefined
      : 'the chain names another policy; read that one first',
    policyDigest,
  )
  const signer = evidence.keySet.statement.address
  check('node-on-chain', nodeProblem(evidence.keySet, chain), signer)
  check(
    'pool-key-statement',
    statementProblem({ ...options, pool, policyDigest, signer }),
    `epoch ${served.epoch}`,
  )
  const publicKey = decodeKey(served.poolKey.publicKey)
  check('pool-key-on-chain', keyProblem({ served, chain, publicKey, policyDigest }), served.poolKey.keyId)

  const ok = evidence.ok && checks.every(({ result }) => result === 'pass')
  return {
    ok,
    checks,
    evidence,
    pool:
      ok && publicKey !== undefined
        ? {
            address: pool,
            policyDigest,
            epoch: served.epoch,
            publicKey,
            keyId: served.poolKey.keyId,
            keySet: evidence.keySet,
            simulated: evidence.verdict.simulated,
          }
        : undefined,
  }
}

function nodeProblem(keySet: KeySet, { node, keyEpoch }: ChainFacts): string | undefined {
  if (!node.active) return 'the registry does not list the epoch’s node as active'
  if (keyEpoch.node.toLowerCase() !== keySet.statement.address)
    return 'the pool’s key epoch belongs to another node'
  if (node.keySetDigest !== digestToHex(keySetDigest(keySet)))
    return 'the registry holds another key set for it'
  return undefined
}

function statementProblem(options: {
  readonly served: KeyedPoolAnswer
  readonly pool: Address
  readonly chainId: number
  readonly nodeRegistry: Address
  readonly policyDigest: Digest
  readonly signer: Address
}): string | undefined {
  const { served } = options
  try {
    const signed = parseSignedStatement(served.statement)
    const { statement, context } = signed
    if (!verifyStatement(signed, { signer: options.signer })) return 'its signature is not the node’s'
    if (statement.type !== 'sealpool/pool-key' || statement.version !== 1)
      return 'it is a statement on something else'
    if (context.chainId !== options.chainId) return 'it was made for another chain'
    if (context.registry.toLowerCase() !== options.nodeRegistry.toLowerCase())
      return 'it was made for another registry'
    if (context.pool.toLowerCase() !== options.pool) return 'it was made for another pool'
    const { body } = statement
    if (body['policy'] !== options.policyDigest) return 'it names another policy'
    if (body['epoch'] !== served.epoch) return 'it names another epoch'
    if (body['publicKey'] !== served.poolKey.publicKey) return 'it names another key'
    return undefined
  } catch {
    return 'it is not a signed statement'
  }
}

function keyProblem(options: {
  readonly served: KeyedPoolAnswer
  readonly chain: ChainFacts
  readonly publicKey: Uint8Array | undefined
  readonly policyDigest: Digest
}): string | undefined {
  const { served, chain, publicKey } = options
  if (publicKey === undefined) return 'it is not an X25519 key'
  if (chain.keyEpoch.epoch !== served.epoch) return 'the chain is at another epoch'
  if (chain.keyEpoch.policyDigest !== digestToHex(options.policyDigest))
    return 'the epoch was made for another policy'
  if (chain.keyEpoch.keyDigest !== digestToHex(sha256Digest(publicKey)))
    return 'the chain holds the digest of another key'
  if (served.poolKey.keyId !== keyIdOf(publicKey)) return 'its name is not its own'
  return undefined
}

function decodeKey(text: string): Uint8Array | undefined {
  try {
    const key = decodeBase64Url(text)
    return key.length === 32 ? key : undefined
  } catch {
    return undefined
  }
}
