import {
  bytesToDigest,
  CryptoError,
  type Digest,
  digestOf,
  digestToBytes,
  type JsonValue,
  keySetDigest,
  merkleRoot,
  parseDigest,
  parseSignedStatement,
  type SignedStatement,
} from '@sealpool/crypto'
import { type NodeEvidenceVerdict, verifyNodeEvidence } from '../evidence/node-evidence.js'
import { appraise } from '../policy/appraise.js'
import { type AttestationPolicy, parseAttestationPolicy } from '../policy/policy.js'
import type { VerifySignature } from '../signature/port.js'
import {
  type Check,
  type CheckAnswer,
  checkList,
  fail,
  notChecked,
  pass,
  unless,
} from '../verdict/check-list.js'
import { accessAnswer } from './access.js'
import { budgetProblem } from './budget.js'
import { codeAnswer } from './code.js'
import { chargeAnswer, contextAnswer, issuedAnswer, type ReceiptDeployment } from './consistency.js'
import { keysAnswer } from './destroyed-keys.js'
import { manifestProblem, type PoolRules, parsePoolRules } from './documents.js'
import { gpusSaid } from './gpus.js'
import { type ReceiptBody, receiptBodySchema, receiptType, receiptVersion } from './receipt.js'
import { shardsProblem } from './shards.js'
import { sharesProblem } from './shares.js'
import { isSignedBy } from './signed-by.js'
import { statementFormProblem } from './statement-form.js'
import { isResultOf, isSealedOf, viewsAnswer } from './views.js'

/** A receipt with everything that it speaks about. */
export interface VerifyReceiptOptions {
  /** The signed statement, as JSON. */
  readonly receipt: unknown
  /** The node's evidence, as JSON. */
  readonly evidence?: unknown
  /** The policies of the job's pools, as JSON, in any order; without them the verdict is not ok. */
  readonly policies?: readonly JsonValue[]
  readonly manifest?: JsonValue
  readonly plan?: JsonValue
  /** Digest of the code that the verifier expects a compute job to have run, if it knows one. */
  readonly code?: Digest
  /** The opened result, or the view of it that a recipient opened. */
  readonly result?: Uint8Array
  /** The result as it was sealed to the consumer, or a recipient's copy of its view. */
  readonly sealedResult?: Uint8Array
  /** Digests of the verdicts on the inputs, by pool address. */
  readonly verdicts?: Readonly<Record<string, readonly Digest[]>>
  /**
   * What the other homes of the job's pools have signed (`sealpool/share`, `sealpool/share-refusal`), as JSON: the `charge` check holds them against the receipt
   * when they are given.
   */
  readonly shares?: readonly unknown[]
  /** The chain and NodeRegistry whose nodes the verifier means; without them the verdict is not ok. */
  readonly deployment?: ReceiptDeployment
  /** Which node evidence the verifier trusts. */
  readonly trust: AttestationPolicy
  readonly at: Date
  readonly verifySignature?: VerifySignature
}

/** The answer about a receipt. */
export interface ReceiptVerdict {
  /** True only when every link was checked and holds. */
  readonly ok: boolean
  /** True unless the node is proved to be hardware. */
  readonly simulated: boolean
  readonly checks: readonly Check[]
  /** What the receipt says; null when it is none. */
  readonly body: ReceiptBody | null
  /** The evidence's own verdict with all its checks; null when it could not be read or was not given. */
  readonly evidence: NodeEvidenceVerdict | null
}

/** Every link that {@link verifyReceipt} follows, in order. */
export const receiptCheckTitles = {
  'receipt-form': 'It is a receipt, written in canonical form',
  outcome:
    'Its outcome is consistent: a result and every pool’s approval when released, a reason and no result when refused',
  evidence: 'The node’s quote and collateral verify',
  trust: 'The verifier’s attestation policy allows the node',
  'key-set': 'The quote vouches for the node’s key set',
  'receipt-key-set': 'The receipt names that key set',
  'receipt-quote': 'The receipt names that quote',
  signature: 'The receipt is signed by the key set’s statement key',
  context: 'It was signed for this job and pool, on the expected chain and registry',
  issued: 'It was not issued later than now',
  simulated: 'Receipt, evidence and certificates agree on whether it is simulated',
  policies: 'The pools’ policies are the ones that the receipt names',
  'pool-trust': 'Each pool’s own attestation policy allows the node',
  access: 'Each pool’s access conditions were met, or the job was refused for them',
  manifest: 'The job’s manifest is the one that the receipt names',
  views: 'Each recipient got the view that the manifest says, and none that a pool’s policy does not allow',
  plan: 'The job’s plan is the one that the receipt names',
  code: 'The job’s code is one that the pools allow',
  verdicts: 'The verdicts on the inputs are the ones that the receipt names, as many as it says',
  budget: 'Each pool’s budget before, charge and budget after add up and stay within the policy',
  charge: 'Each pool was charged what the plan says, and nothing when no data was looked at',
  result: 'The opened result is the one that the receipt names',
  'sealed-result': 'The sealed result is the one that the receipt names',
  keys: 'What it says of the keys that were made for the job alone, and are destroyed, fits the job',
} as const

/** Signing makes an outside fact of the receipt; these parts are what a check may rest on. */
interface Parts {
  signed?: SignedStatement
  body?: ReceiptBody
  evidence?: NodeEvidenceVerdict
  simulatedFlag?: boolean
  pools?: { readonly pool: ReceiptBody['pools'][number]; readonly rules: PoolRules }[]
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyReceipt(options: VerifyReceiptOptions): ReceiptVerdict {
  const checks = checkList(receiptCheckTitles)
  const parts: Parts = {}
  const run = (id: keyof typeof receiptCheckTitles, needs: string[], ask: () => CheckAnswer) =>
    checks.run(id, needs, () => withCryptoErrors(ask))
  run('receipt-form', [], () => readReceipt(options, parts))
  run('outcome', ['receipt-form'], () =>
    unless(outcomeProblem(body(parts)), `The job was ${body(parts).outcome}.`),
  )
  checkNode(options, run, parts)
  checkDocuments(options, run, parts)
  checkResult(options, run, parts)
  return {
    ok: checks.ok(),
    simulated: parts.evidence?.verdict.simulated ?? true,
    checks: checks.list(),
    body: parts.body ?? null,
    evidence: parts.evidence ?? null,
  }
}

type Run = (id: keyof typeof receiptCheckTitles, needs: string[], ask: () => CheckAnswer) => boolean

/** A malformed document is a fail of the check that reads it, not a crash of the verification. */
function withCryptoErrors(ask: () => CheckAnswer): CheckAnswer {
  try {
    return ask()
  } catch (error) {
    if (error instanceof CryptoError) return fail(error.message)
    throw error
  }
}

function body(parts: Parts): ReceiptBody {
  if (parts.body === undefined) throw new Error('a check forgot that it needs receipt-form')
  return parts.body
}

function evidenceOf(parts: Parts): NodeEvidenceVerdict {
  if (parts.evidence === undefined) throw new Error('a check forgot that it needs evidence')
  return parts.evidence
}

function readReceipt(options: VerifyReceiptOptions, parts: Parts): CheckAnswer {
  const signed = parseSignedStatement(options.receipt as JsonValue)
  const { type, version } = signed.statement
  if (type !== receiptType || version !== receiptVersion) {
    return fail(`it is a ${type} of version ${version}, not a ${receiptType} of version ${receiptVersion}`)
  }
  const result = receiptBodySchema.safeParse(signed.statement.body)
  if (!result.success) {
    return fail(result.error.message)
  }
  const problem = statementFormProblem(options.receipt as SignedStatement)
  if (problem !== undefined) return fail(problem)
  parts.signed = signed
  parts.body = result.data
  return pass(`Receipt of job ${result.data.job.id}, issued at ${result.data.issuedAt}.`)
}

function outcomeProblem(body: ReceiptBody): string | undefined {
  const { outcome, refusal, result, plan, pools, approvals, refusedBy } = body
  const shards = shardsProblem(body)
  if (shards !== undefined) return shards
  const addresses = pools.map(({ pool }) => pool.toLowerCase())
  if (new Set(addresses).size !== addresses.length) return 'a pool is listed twice'
  if (outcome === 'refused') {
    if (result !== null) return 'a refusal carries a result'
    if (refusedBy !== undefined && refusal?.code === 'HOME_SILENT')
      return 'a home that refused did not keep silent'
    return refusal === null ? 'a refusal gives no reason' : undefined
  }
  if (refusal !== null || refusedBy !== undefined) return 'a released job carries a refusal'
  if (result === null || plan === null || pools.length === 0)
    return 'a released job lacks result, plan or pools'
  if (pools.some(({ budget }) => budget === null)) return 'a released job was charged to no budget'
  const approved = approvals.map(({ pool }) => pool.toLowerCase())
  if (new Set(approved).size !== approved.length) return 'a pool’s approval is listed twice'
  if (approved.some((pool) => !addresses.includes(pool))) return 'a pool approved that the job does not name'
  return addresses.every((pool) => approved.includes(pool))
    ? undefined
    : 'a released job lacks the approval of one of its pools'
}

function checkNode(options: VerifyReceiptOptions, run: Run, parts: Parts): void {
  run('evidence', [], () => {
    if (options.evidence === undefined) return notChecked('The node’s evidence was not given.')
    const { evidence, trust: policy, at, verifySignature } = options
    const native = verifySignature === undefined ? {} : { verifySignature }
    const result = verifyNodeEvidence({ evidence, policy, at, ...native })
    parts.evidence = result
    parts.simulatedFlag = (evidence as { simulated: boolean }).simulated
    const open = result.checks.filter(
      ({ id, result }) => result !== 'pass' && id !== 'attestation-policy' && id !== 'key-set',
    )
    if (open.length === 0) return pass(`All ${result.verdict.checks.length} checks of the quote pass.`)
    return fail(open.map(({ id, detail }) => `${id}: ${detail}`).join('; '))
  })
  run('trust', [], () => {
    if (parts.evidence === undefined) return notChecked('There is no evidence to appraise.')
    const { answer, reasons } = parts.evidence.appraisal
    return answer === 'allowed' ? pass('Allowed.') : fail(`${answer}: ${reasons.join(' ')}`)
  })
  run('key-set', ['evidence'], () => {
    const check = evidenceOf(parts).checks.find(({ id }) => id === 'key-set')
    return check === undefined ? notChecked('') : { result: check.result, detail: check.detail }
  })
  run('receipt-key-set', ['receipt-form', 'key-set'], () => {
    const same = body(parts).keySet === keySetDigest(evidenceOf(parts).keySet)
    return same ? pass('The digests agree.') : fail('the receipt names another key set than the evidence')
  })
  run('receipt-quote', ['receipt-form', 'evidence'], () => {
    const same = body(parts).quote === evidenceOf(parts).quoteDigest
    return same ? pass('The digests agree.') : fail('the receipt names another quote than the evidence')
  })
  run('signature', ['receipt-form', 'key-set'], () => {
    const signer = evidenceOf(parts).keySet.statement.address
    if (parts.signed === undefined || !isSignedBy(parts.signed, signer)) {
      return fail('the signature is not by the node’s statement key, or the receipt was changed')
    }
    return pass(`Signed by ${signer}.`)
  })
  run('context', ['receipt-form'], () => {
    if (parts.signed === undefined) throw new Error('a check forgot that it needs receipt-form')
    return contextAnswer(parts.signed, body(parts), options.deployment)
  })
  run('issued', ['receipt-form'], () => issuedAnswer(body(parts), options.at))
  run('simulated', ['receipt-form', 'evidence'], () => {
    const actual = evidenceOf(parts).verdict.simulated
    const agree = body(parts).simulated === actual && parts.simulatedFlag === actual
    if (!agree) return fail('they disagree')
    return pass(actual ? 'SIMULATED: no hardware stands behind this receipt.' : 'All say hardware.')
  })
}

function checkDocuments(options: VerifyReceiptOptions, run: Run, parts: Parts): void {
  run('policies', ['receipt-form'], () => {
    const policies = options.policies ?? []
    const given = new Map(policies.map((policy) => [digestOf(policy), policy]))
    const missing = body(parts).pools.filter(({ policy }) => !given.has(policy))
    const names = missing.map(({ name }) => name).join(', ')
    if (missing.length > 0 && policies.length === 0) {
      return notChecked(`The policies of ${names} were not given.`)
    }
    if (missing.length > 0) return fail(`no policy that was given is the one of ${names}`)
    const used = new Set<string>(body(parts).pools.map(({ policy }) => policy))
    if ([...given.keys()].some((key) => !used.has(key)) || given.size !== policies.length) {
      return fail('a policy was given that the receipt does not name')
    }
    parts.pools = body(parts).pools.map((pool) => ({
      pool,
      rules: parsePoolRules(given.get(pool.policy), pool.name),
    }))
    return pass(used.size === 0 ? 'No pool was touched.' : `${used.size} policies, digests agree.`)
  })
  run('pool-trust', ['policies', 'evidence'], () => {
    for (const { pool, rules } of parts.pools ?? []) {
      const policy = parseAttestationPolicy(rules.attestation)
      const { answer, reasons } = appraise(evidenceOf(parts).verdict, policy)
      if (answer !== 'allowed') return fail(`pool ${pool.name}: ${answer}: ${reasons.join(' ')}`)
    }
    return pass('Every pool’s policy allows it.')
  })
  run('access', ['policies', 'outcome'], () => accessAnswer(body(parts), parts.pools ?? []))
  run('manifest', ['receipt-form'], () => {
    const { manifest } = options
    if (manifest === undefined) return notChecked('The manifest was not given.')
    if (digestOf(manifest) !== body(parts).job.manifest) return fail('the manifest is another one')
    const gpus = gpusSaid(body(parts))
    return unless(
      manifestProblem(manifest, body(parts)),
      `The digests agree, and so do kind, consumer and pools.${gpus === '' ? '' : ` ${gpus}`}`,
    )
  })
  run('views', ['outcome', 'policies', 'manifest'], () =>
    viewsAnswer(
      body(parts),
      options.manifest,
      (parts.pools ?? []).map(({ rules }) => rules),
    ),
  )
  run('plan', ['receipt-form'], () => {
    const { plan } = body(parts)
    if (plan === null) {
      return options.plan === undefined
        ? pass('The job was refused before there was a plan.')
        : fail('a plan was given, and the receipt names none')
    }
    if (options.plan === undefined) return notChecked('The plan was not given.')
    return digestOf(options.plan) === plan ? pass('The digests agree.') : fail('the plan is another one')
  })
  run('code', ['receipt-form', 'policies', 'manifest', 'plan'], () => {
    const rules = (parts.pools ?? []).map((entry) => entry.rules)
    return codeAnswer({
      body: body(parts),
      rules,
      manifest: options.manifest,
      plan: options.plan,
      code: options.code,
    })
  })
  run('verdicts', ['receipt-form'], () => verdictsAnswer(body(parts), options.verdicts ?? {}))
  run('budget', ['policies', 'outcome'], () => {
    for (const { pool, rules } of parts.pools ?? []) {
      const problem = pool.budget === null ? undefined : budgetProblem(pool.budget, rules.privacy)
      if (problem !== undefined) return fail(`pool ${pool.name}: ${problem}`)
    }
    const charged = body(parts).pools.filter(({ budget }) => budget !== null)
    if (charged.length === 0) return pass('Nothing was charged.')
    return pass(charged.map(({ name, budget }) => `${name}: epsilon ${budget?.charged.epsilon}`).join(', '))
  })
  run('charge', ['outcome', 'plan'], () => {
    const { shares, plan } = options
    const problem =
      shares === undefined || parts.signed === undefined
        ? undefined
        : sharesProblem(parts.signed, body(parts), shares)
    return problem === undefined ? chargeAnswer(body(parts), plan) : fail(problem)
  })
}

/**
 * The Merkle root under which a receipt names the verdicts on its inputs (RFC 6962 hashing; each leaf is the 32 bytes of a
 * verdict's digest, in the order of the inputs).
 *
 * @param digests of the verdicts
 * @returns the root as a digest
 * @throws CryptoError `DIGEST_INVALID`
 */
export function verdictsRoot(digests: readonly Digest[]): Digest {
  return bytesToDigest(merkleRoot(digests.map((digest) => digestToBytes(parseDigest(digest)))))
}

function verdictsAnswer(
  receipt: ReceiptBody,
  given: Readonly<Record<string, readonly Digest[]>>,
): CheckAnswer {
  const byPool = new Map(Object.entries(given).map(([pool, digests]) => [pool.toLowerCase(), digests]))
  if (byPool.size !== Object.keys(given).length) return fail('verdicts of one pool were given twice')
  for (const { pool, name, verdicts, inputs } of receipt.pools) {
    const digests = byPool.get(pool.toLowerCase())
    if (digests === undefined) return notChecked(`The verdicts of ${name} were not given.`)
    if (digests.length !== inputs.count)
      return fail(`${name} has ${inputs.count} inputs, not ${digests.length}`)
    if (verdictsRoot(digests) !== verdicts) return fail(`the verdicts of ${name} are other ones`)
    byPool.delete(pool.toLowerCase())
  }
  if (byPool.size > 0) return fail('verdicts were given of a pool that the receipt does not name')
  return pass(receipt.pools.length === 0 ? 'No input was read.' : 'The Merkle roots agree.')
}

function checkResult(options: VerifyReceiptOptions, run: Run, parts: Parts): void {
  const answer = (bytes: Uint8Array | undefined, isOf: typeof isResultOf): CheckAnswer => {
    const { result } = body(parts)
    if (result === null) {
      return bytes === undefined ? pass('A refusal has no result.') : fail('a refusal came with a result')
    }
    if (bytes === undefined) return notChecked('It was not given.')
    return isOf(result, bytes) ? pass('The digests agree.') : fail('it is another one')
  }
  run('result', ['receipt-form', 'outcome'], () => answer(options.result, isResultOf))
  run('sealed-result', ['receipt-form', 'outcome'], () => answer(options.sealedResult, isSealedOf))
  run('keys', ['receipt-form', 'outcome'], () => keysAnswer(body(parts)))
}
