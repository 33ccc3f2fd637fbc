import {
  type Address,
  bytesToDigest,
  CryptoError,
  canonicalBytes,
  type Digest,
  digestOf,
  type JsonObject,
  merkleRoot,
  parseDigest,
  statementDigest,
} from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import type { ReceiptDeployment } from '../receipt/consistency.js'
import {
  type ReceiptBody,
  type ReceiptPool,
  receiptBodySchema,
  receiptType,
  receiptVersion,
} from '../receipt/receipt.js'
import { verdictsRoot } from '../receipt/verify.js'
import type { Provenance, ProvenanceGap, ProvenanceStep } from './provenance.js'
import {
  type ContributionRecord,
  type ProvenanceRecords,
  provenanceRecordsSchema,
  type VerdictRecord,
  verdictPartSchema,
} from './records.js'
import { contributionItem, refinementSteps } from './refinements.js'
import { Gap, statementOf, type Trusted, trustedStatement } from './signed-record.js'

/** What {@link walkBack} takes. */
export interface WalkBackOptions extends Partial<ProvenanceRecords> {
  /** Digest of the opened result: where the walk begins. */
  readonly result: Digest
  /** The receipt as JSON; verify it by itself as well (`verifyReceipt`), the walk looks at no evidence, plan or budget. */
  readonly receipt: unknown
  /** Statement keys of the nodes that the caller trusts: those of verified evidence. */
  readonly signers: readonly Address[]
  readonly deployment: ReceiptDeployment
}

/** A receipt that was read. */
interface TrustedReceipt {
  readonly body: ReceiptBody
  readonly digest: Digest
  /** The node that signed it. */
  readonly signer: Address
}

/** The receipt, when a trusted node signed it about each of its pools once. */
function receiptOf(json: unknown, trusted: Trusted): TrustedReceipt {
  const kind = `${receiptType}/${receiptVersion}`
  const { statement, signer } = trustedStatement(statementOf(json), kind, trusted)
  const body = receiptBodySchema.safeParse(statement.body)
  if (!body.success) throw new Gap('STATEMENT_INVALID')
  const { pools } = body.data
  const named = new Set(pools.map(({ pool }) => pool.toLowerCase()))
  if (pools.length === 0 || named.size !== pools.length) throw new Gap('STATEMENT_INVALID')
  return { body: body.data, digest: statementDigest(statement), signer }
}

/** The contributions of a pool that went into the job, held against the receipt. */
function inputsOf(pool: ReceiptPool, given: readonly ContributionRecord[] | undefined) {
  if (given === undefined) throw new Gap('INPUTS_MISSING')
  const leaves = given.map(({ contribution, blob, commitment }) =>
    canonicalBytes({ contribution, blob, commitment }),
  )
  const ids = new Set(given.map(({ contribution }) => contribution))
  if (
    given.length !== pool.inputs.count ||
    ids.size !== given.length ||
    bytesToDigest(merkleRoot(leaves)) !== pool.inputs.root
  )
    throw new Gap('INPUTS_OTHER')
  return given
}

function contributionStep(pool: Address, entry: ContributionRecord): ProvenanceStep {
  const { contribution, blob, commitment, at } = entry
  return {
    kind: 'contribution',
    record: digestOf({ pool, contribution, blob, commitment }),
    pool,
    at,
    code: null,
    names: {},
    inputs: [{ kind: 'source', pool, name: commitment, digest: commitment }],
    outputs: [contributionItem(pool, entry)],
  }
}

/** The code that gave a verdict, where the verdict is there to say so. */
function pocOf(verdict: VerdictRecord['verdict'], pool: Address, contribution: string): Digest | null {
  if (typeof verdict === 'string') return null
  const read = verdictPartSchema.safeParse(verdict)
  if (!read.success || !read.data.valid) throw new Gap('VERDICTS_OTHER')
  if (read.data.contribution !== contribution || read.data.pool.toLowerCase() !== pool)
    throw new Gap('VERDICTS_OTHER')
  return read.data.poc
}

/** Verdicts on all inputs, each held against its contribution and all of them against the receipt. */
function judgements(
  pool: ReceiptPool,
  inputs: readonly ContributionRecord[],
  given: readonly VerdictRecord[] | undefined,
): ProvenanceStep[] {
  if (given === undefined) throw new Gap('VERDICTS_MISSING')
  const address = pool.pool.toLowerCase() as Address
  const digests = given.map(({ verdict }) => (typeof verdict === 'string' ? verdict : digestOf(verdict)))
  if (digests.length !== inputs.length || verdictsRoot(digests) !== pool.verdicts)
    throw new Gap('VERDICTS_OTHER')
  return inputs.flatMap((input, index): ProvenanceStep[] => {
    const record = given[index]
    const digest = digests[index]
    if (record === undefined || digest === undefined) return []
    const { contribution } = input
    return [
      {
        kind: 'judgement',
        record: digest,
        pool: address,
        at: record.at,
        code: pocOf(record.verdict, address, contribution),
        names: { policy: pool.policy },
        inputs: [contributionItem(address, input)],
        outputs: [{ kind: 'verdict', pool: address, name: contribution, digest }],
      },
    ]
  })
}

/** A signed word that a receipt names. */
interface Parent {
  readonly digest: Digest
  readonly node: string
  readonly kind: string
  readonly place: string
  /** What it has to say: it is about this job, for this node, under these keys. */
  readonly says: Readonly<Record<string, JsonObject[string] | undefined>>
}

/** The words that a receipt names: of nodes that ran the job or a part of it, of other pools' homes. */
function parentsOf({ body, signer }: TrustedReceipt): readonly Parent[] {
  const { handOff, shards = [], homes = [] } = body
  const job = { job: body.job.id, manifest: body.job.manifest, plan: body.plan }
  const work = (
    { node, keySet }: Pick<NonNullable<typeof handOff>, 'node' | 'keySet'>,
    digest: Digest,
    place: string,
    shard?: string,
  ): Parent => ({
    digest,
    node,
    kind: 'sealpool/work/1',
    place,
    // One part of the job has one word, and the whole job is no part of one.
    says: { ...job, home: signer, keySet, shard },
  })
  return [
    ...(handOff === undefined ? [] : [work(handOff, handOff.work, 'receipt.handOff')]),
    ...shards.flatMap((one, index) =>
      // What a lost node did not give is no link of a chain.
      one.work === null
        ? []
        : [work(one, one.work, `receipt.shards[${index}]`, `${index + 1}/${shards.length}`)],
    ),
    ...homes.map(({ share, node, keySet, quote }, index) => ({
      digest: share,
      node,
      kind: 'sealpool/share/1',
      place: `receipt.homes[${index}]`,
      says: { ...job, coordinator: signer, keySet, quote },
    })),
  ]
}

/** What does not hold of the signed words of other nodes that the receipt names. */
function parentGaps(receipt: TrustedReceipt, parents: readonly unknown[], trusted: Trusted): ProvenanceGap[] {
  const wanted = parentsOf(receipt)
  if (wanted.length === 0) return []
  const given = parents.flatMap((parent) => {
    const signed = statementOf(parent)
    return signed === undefined ? [] : [{ signed, digest: statementDigest(signed.statement) }]
  })
  return wanted.flatMap(({ digest, node, kind, place, says }): ProvenanceGap[] => {
    const { deployment, signers } = trusted
    // The word must be that node's own: not any trusted node's.
    const own = { deployment, signers: signers.filter((one) => one.toLowerCase() === node.toLowerCase()) }
    let code: ProvenanceGap['code'] = 'PARENT_MISSING'
    for (const { signed } of given.filter((one) => one.digest === digest)) {
      try {
        const { body: said } = trustedStatement(signed, kind, own).statement
        if (Object.entries(says).some(([name, value]) => said[name] !== value))
          throw new Gap('STATEMENT_INVALID')
        return []
      } catch (error) {
        if (!(error instanceof Gap)) throw error
        code = error.code
      }
    }
    return [{ code, place }]
  })
}

/** The last step: rows to the result, or to the model that a computation made. */
function jobStep(body: ReceiptBody, record: Digest, result: Digest, steps: readonly ProvenanceStep[]) {
  const { job, plan, code, keySet, quote, issuedAt } = body
  return {
    kind: job.kind,
    record,
    pool: null,
    at: issuedAt,
    code,
    names: { manifest: job.manifest, ...(plan === null ? {} : { plan }), keySet, quote },
    inputs: steps.flatMap(({ kind, outputs }) => (kind === 'refinement' ? outputs : [])),
    outputs: [
      { kind: job.kind === 'compute' ? 'model' : 'result', pool: null, name: result, digest: result },
    ],
  } as const satisfies ProvenanceStep
}

const addressForm = /^0x[0-9a-fA-F]{40}$/

function trustedOf({ signers, deployment }: WalkBackOptions): Trusted {
  if (!Array.isArray(signers) || !signers.every((one) => typeof one === 'string' && addressForm.test(one)))
    throw new AttestError('BAD_ARGUMENT', 'signers', 'The signers are a list of addresses')
  const { chainId, registry } = (deployment ?? {}) as Partial<ReceiptDeployment>
  if (!Number.isSafeInteger(chainId) || typeof registry !== 'string' || !addressForm.test(registry))
    throw new AttestError(
      'BAD_ARGUMENT',
      'deployment',
      'The deployment is a chain id and a registry’s address',
    )
  return { signers, deployment }
}

/**
 * Walks from a result back to the contributions that went into it, link by link: the receipt that names the result, the root of its
 * inputs, the verdicts on them, the refinements that made rows of them. Each link is a digest that a signed statement names, and is
 * computed anew here from the record that was given; what is missing, changed or signed by a stranger is a gap.
 *
 * That a refinement's rows were read by the job is the node's word by way of its contributions: a receipt names these, not the rows.
 * Nor does anything signed cover the times of contributions, verdicts and refinements: those are the caller's.
 *
 * @param options see {@link WalkBackOptions}; records that were not given are gaps
 * @returns the chain, complete or with its gaps
 * @throws AttestError `BAD_RECEIPT` for records that have not their form, `BAD_ARGUMENT` for signers or a deployment that are none;
 * CryptoError `DIGEST_INVALID` for a `result` that is no digest
 *
 * @example
 * ```ts no-run
 * const { complete, gaps, inputs } = walkBack({ result, receipt, contributions, verdicts, refinements, signers, deployment })
 * console.log(complete, gaps, inputs.length)
 * ```
 */
export function walkBack(options: WalkBackOptions): Provenance {
  const result = parseDigest(options.result)
  const { contributions = {}, verdicts = {}, refinements = [], parents = [] } = options
  const records = provenanceRecordsSchema.parse({ contributions, verdicts, refinements, parents })
  const trusted = trustedOf(options)
  const { deployment } = trusted
  const gaps: ProvenanceGap[] = []
  const attempt = <T>(place: string, ask: () => T): T | undefined => {
    try {
      return ask()
    } catch (error) {
      // A record without canonical JSON has no digest, and is not the one that was signed.
      if (!(error instanceof Gap || error instanceof CryptoError)) throw error
      gaps.push({ code: error instanceof Gap ? error.code : 'STATEMENT_INVALID', place })
      return undefined
    }
  }
  const receipt = attempt('receipt', () => receiptOf(options.receipt, trusted))
  if (receipt === undefined)
    return { complete: false, gaps, steps: [], inputs: [], deployment, simulated: true }
  const { body, digest } = receipt
  if (body.outcome !== 'released' || body.result?.digest !== result)
    gaps.push({ code: 'RESULT_OTHER', place: 'receipt.result' })
  gaps.push(...parentGaps(receipt, records.parents, trusted))
  const parts: (readonly ProvenanceStep[])[] = []
  const inputs: Provenance['inputs'][number][] = []
  for (const pool of body.pools) {
    const address = pool.pool.toLowerCase() as Address
    const found = attempt(`${address}.contributions`, () => inputsOf(pool, records.contributions[address]))
    if (found === undefined) continue
    for (const { contribution, blob, commitment } of found)
      inputs.push({ pool: address, contribution, blob, commitment })
    parts.push(found.map((entry) => contributionStep(address, entry)))
    const judged = attempt(`${address}.verdicts`, () => judgements(pool, found, records.verdicts[address]))
    parts.push(judged ?? [])
    const refined = refinementSteps(pool, found, records.refinements, trusted)
    parts.push(refined.steps)
    gaps.push(...refined.gaps)
  }
  const steps = parts.flat()
  const complete = gaps.length === 0
  if (complete) steps.push(jobStep(body, digest, result, steps))
  return { complete, gaps, steps, inputs, deployment, simulated: body.simulated }
}
