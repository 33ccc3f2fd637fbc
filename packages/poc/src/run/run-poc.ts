import {
  type Address,
  encodeBase64Url,
  type JsonObject,
  type JsonValue,
  sha256Digest,
} from '@sealpool/crypto'
import {
  type JobRuntime,
  type Limits,
  type RunErrorCode,
  type RunResult,
  SandboxError,
} from '@sealpool/sandbox'
import { latin1 } from '../authenticity/dkim/message.js'
import { evidenceOf, factOf } from '../authenticity/evidence.js'
import { verifyIssuerSignature } from '../authenticity/issuer-signature.js'
import type { SignedFinding } from '../authenticity/signed-content.js'
import type { VerificationBudget } from '../authenticity/verification-budget.js'
import type { Facts, IssuerFact } from '../define/check.js'
import type { PocDescription } from '../define/define-poc.js'
import { PocError } from '../errors.js'
import { essenceOf, isJson } from '../media-type.js'
import { type JudgedPart, type PocVerdict, parseJudgedPart } from '../verdict/verdict.js'
import { closeVocabulary, vocabularyOf } from '../verdict/vocabulary.js'
import { isAmbiguousJson } from './ambiguous-json.js'
import { describePoc, type PocCode } from './describe-poc.js'
import {
  type AccountPort,
  contentOf,
  EXAMINATION_BYTES,
  type Examination,
  readExamination,
  type UniquenessPort,
} from './examine.js'
import { findingsOf, type VerifiedContribution, verifyContribution } from './verify-contribution.js'

/** What to judge, with which code, where. */
export interface RunPocOptions {
  readonly poc: PocCode
  readonly runtime: JobRuntime
  /** For one contribution. */
  readonly limits: Limits
  /** Most work that verifying its sources may cost; `DEFAULT_VERIFICATION_BUDGET` when absent. */
  readonly budget?: VerificationBudget | undefined
  /** Awaited now and then while sources are verified, see `verifyContribution`: to give way, to tell, or to stop by throwing. */
  readonly between?: ((done: number) => void | Promise<void>) | undefined
  readonly contribution: {
    /** Id in the registry. */
    readonly id: string
    readonly pool: Address
    /** Wallet that contributes; checks see it in lower case, the verdict does not hold it. */
    readonly owner: Address
    readonly mediaType: string
    readonly bytes: Uint8Array
  }
  /** What the host knows. Without `issuer`, the signature is verified here against the issuers the code declares. */
  readonly facts: {
    /** Whether and how much the pool holds of it, or who can be asked: then the fingerprint and the items are made here. */
    readonly uniqueness: Facts['uniqueness'] | UniquenessPort
    /** Who can be asked about the account that the proof reads; without one the evidence says `not-checked`. */
    readonly account?: AccountPort
    readonly issuer?: IssuerFact
    /** See `labelReference`. */
    readonly labels?: Facts['labels']
    /** What `verifyContribution` gave for these very bytes, owner, sources and time, so that nothing is verified twice. */
    readonly verified?: VerifiedContribution | undefined
    /** Unix seconds to judge validity by, the block's for example. Without it, what expires is not authentic. */
    readonly at?: number
  }
}

/** How a failed run reads in a verdict: the same bytes fail the same way, so it is a refusal and no error. */
const refusals: Partial<Record<RunErrorCode, string>> = {
  TIMEOUT: 'POC_TIMEOUT',
  OUT_OF_MEMORY: 'POC_OUT_OF_MEMORY',
  STACK_OVERFLOW: 'POC_STACK_OVERFLOW',
  OUT_OF_STEPS: 'POC_OUT_OF_STEPS',
  THREW: 'POC_THREW',
  OUTPUT_TOO_LARGE: 'POC_OUTPUT_TOO_LARGE',
  OUTPUT_NOT_JSON: 'POC_OUTPUT_NOT_JSON',
}

/**
 * Judges one contribution. The same bytes, facts and code give the same verdict in every runtime and on every machine
 * (a deadline aside, which is a clock). What the code prints is dropped.
 *
 * @param options code, runtime, limits, contribution and facts; where somebody can be asked (`uniqueness`, `account`) and the proof
 *   declares `items` or `account`, its entry `examine` runs first, with room for 32 MiB of items
 * @returns the verdict; a contribution that cannot be read, or on which the code fails, gets one with a refusal
 * @throws PocError `CODE_MISMATCH`, `CODE_INVALID`, `VERDICT_INVALID`, `RUNTIME_FAILED`: the code or the runtime is at fault;
 *   `OPTION_INVALID` for a budget that is none, or `verified` of something else
 * @example
 * ```ts no-run
 * const verdict = await runPoc({
 *   poc, runtime, limits,
 *   contribution: { id: '1', pool, owner, mediaType: 'application/json', bytes },
 *   facts: { uniqueness: { duplicate: false } },
 * })
 * console.log(verdict.score, verdict.refusal?.code)
 * ```
 */
export async function runPoc(options: RunPocOptions): Promise<PocVerdict> {
  const { poc, runtime, limits, contribution } = options
  if (sha256Digest(new TextEncoder().encode(poc.code)) !== poc.digest) {
    throw new PocError(
      'CODE_MISMATCH',
      'poc.digest',
      'the code is not what the digest approves; fetch it again',
    )
  }
  const verdict = (part: JudgedPart): PocVerdict => ({
    contribution: contribution.id,
    pool: contribution.pool,
    poc: poc.digest,
    ...part,
  })
  const text = fileText(contribution)
  if (text === undefined) return verdict(refused('MALFORMED_EXPORT', 'file'))
  const file = { mediaType: essenceOf(contribution.mediaType), text }
  if (isJson(file.mediaType) && isAmbiguousJson(text)) return verdict(refused('MALFORMED_EXPORT', 'file'))
  const { description, findings, ...gathered } = await gatherFacts(options)
  const { evidence } = gathered
  const run = (entry: string, facts: JsonObject, own: Limits) =>
    runtime.run({ code: poc.code, entry, input: { file, facts }, limits: own })
  try {
    let facts = gathered.facts
    const { uniqueness, account } = options.facts
    const isAsked = typeof uniqueness === 'function'
    let examined: Examination = { account: null, items: null }
    if (description.examines.length > 0 && (isAsked || account !== undefined)) {
      const outputBytes = Math.max(limits.outputBytes, EXAMINATION_BYTES)
      const result = await run(
        'examine',
        { ...facts, uniqueness: { duplicate: false } },
        { ...limits, outputBytes },
      )
      if (!result.ok) return verdict({ ...failedRun(result), evidence })
      examined = readExamination(result)
    }
    facts = {
      ...facts,
      uniqueness: {
        ...(isAsked ? await uniqueness(contentOf(contribution, findings, examined.items)) : uniqueness),
      },
    }
    if (account !== undefined && examined.account !== null) {
      facts = { ...facts, account: { ...(await account(examined.account)) } }
    }
    const result = await run('evaluate', facts, limits)
    if (!result.ok) return verdict({ ...failedRun(result), evidence })
    const part = closeVocabulary(parseJudgedPart(result.output), vocabularyOf(poc.code))
    return verdict({ ...part, evidence: [...evidence, ...part.evidence].slice(0, MOST_EVIDENCE) })
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    throw new PocError('RUNTIME_FAILED', error.place, `the runtime refused the call (${error.code})`, {
      cause: error,
    })
  }
}

/** A run that failed, as a refusal; what is the code's or the runtime's fault is thrown. */
function failedRun(result: Extract<RunResult, { ok: false }>): JudgedPart {
  const refusal = refusals[result.code]
  if (refusal !== undefined) return refused(refusal, result.place)
  if (result.code === 'RUNTIME_LOST') {
    throw new PocError('RUNTIME_FAILED', 'runtime', 'the runtime was lost; run again')
  }
  throw new PocError('CODE_INVALID', result.place, `the code does not evaluate (${result.code})`)
}

const MOST_EVIDENCE = 200

async function gatherFacts(options: RunPocOptions): Promise<{
  readonly description: PocDescription
  readonly facts: JsonObject
  readonly evidence: JudgedPart['evidence']
  readonly findings: readonly (readonly SignedFinding[])[]
}> {
  const { poc, runtime, contribution, facts } = options
  const owner = contribution.owner.toLowerCase()
  const description = await describePoc(poc, runtime)
  const { issuers, sources } = description
  const issuer =
    facts.issuer ??
    (issuers.length > 0 ? verifyIssuerSignature({ bytes: contribution.bytes, issuers }) : undefined)
  const known: Record<string, JsonValue> = { owner }
  if (facts.at !== undefined) known['at'] = facts.at
  if (facts.labels !== undefined) known['labels'] = facts.labels
  if (issuer !== undefined) {
    const { name, valid, reason } = issuer
    known['issuer'] = reason === undefined ? { name, valid } : { name, valid, reason }
  }
  const about = {
    sources,
    bytes: contribution.bytes,
    mediaType: contribution.mediaType,
    owner: contribution.owner,
    at: facts.at,
  }
  const { budget, between } = options
  const verified = facts.verified ?? (await verifyContribution({ ...about, budget, between }))
  const found = findingsOf(verified, about)
  if (sources.length > 0) {
    known['authenticity'] = found.map((findings, index) => factOf(sources[index]?.kind ?? 'jws', findings))
  }
  return { description, facts: known, evidence: found.flatMap(evidenceOf), findings: found }
}

/**
 * What a refiner takes for an archive or a database whatever it is called, and is text or mail all the same: the code would judge other
 * letters and rows than those that are delivered. Both marks hold a NUL, so that no text has them by chance.
 */
const otherFormats = [
  [257, 'ustar\u000000'],
  [257, 'ustar  \u0000'],
  [0, 'SQLite format 3\u0000'],
] as const

function isReadAsOther(bytes: Uint8Array): boolean {
  const head = latin1(bytes.subarray(0, 512))
  return otherFormats.some(([at, mark]) => head.startsWith(mark, at))
}

/**
 * The text that the code sees. Mail may hold bytes that are no UTF-8, which then stand one to a character; images and sound
 * come in base64. A byte order mark is dropped of JSON and CSV alone: before anything else it is a part of what the host verified.
 */
function fileText({ bytes, mediaType }: RunPocOptions['contribution']): string | undefined {
  if (isReadAsOther(bytes)) return undefined
  const essence = essenceOf(mediaType)
  if (/^((image|audio|video)\/|application\/c2pa$)/.test(essence)) return encodeBase64Url(bytes)
  try {
    const ignoreBOM = !isJson(essence) && essence !== 'text/csv'
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM }).decode(bytes)
  } catch {
    return essence === 'message/rfc822' || essence === 'application/mbox' ? latin1(bytes) : undefined
  }
}

function refused(code: string, place: string): JudgedPart {
  const zero = { score: 0, authenticity: 0, ownership: 0, quality: 0, uniqueness: 0 }
  return { valid: false, ...zero, attributes: {}, refusal: { code, place }, evidence: [] }
}
