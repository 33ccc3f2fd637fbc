import {
  type Address,
  type Digest,
  digestToBytes,
  encodeHex,
  type Hex,
  type JsonObject,
  type SignedStatement,
  signStatement,
} from '@sealpool/crypto'
import { scoreUnits } from './score-units.js'
import { another, invalid, normal, readStatement, same, signerOf } from './statement-form.js'
import { type PocVerdict, parsePocVerdict } from './verdict.js'

/** Type of the signed statement, and the predicate's type inside of it. */
const STATEMENT = { type: 'sealpool/poc-verdict', version: 1 } as const
const IN_TOTO = 'https://in-toto.io/Statement/v1'
const PREDICATE = 'https://sealpool.org/predicates/poc-verdict/v1'

/** Where a verdict counts. */
export interface VerdictContext {
  readonly chainId: number
  readonly registry: Address
  /** The contribution as the contract numbers it, 32 bytes. */
  readonly subject: Hex
  /** Salted commitment of the contribution's plaintext, as it stands on chain. Never a bare hash of private data. */
  readonly commitment: Digest
  /** Whole number as decimal text. */
  readonly nonce?: string
  /** Where several validators judge: what they judged by, see `verdictInputs`. */
  readonly inputs?: Digest
  /**
   * Of a contribution that an earlier proof accepted and that is judged again: the policy that it was sealed under. It stands in the statement,
   * so that a second verdict is never taken for a first one.
   */
  readonly earlierPolicy?: Digest
}

/** What a reader of a verdict knows of it beforehand. Nothing of this is taken from the verdict. */
export interface ExpectedVerdict {
  readonly context: VerdictContext
  readonly pool: Address
  /** Id of the contribution in the registry. */
  readonly contribution: string
  /** Digest of the code that the pool approved. */
  readonly poc: Digest
  /** Whose word counts. */
  readonly validators: readonly Address[]
}

/**
 * A verdict as an in-toto statement (in-toto Attestation Framework v1): the subject is the contribution by its salted commitment, the
 * predicate is the verdict. There is no raw data in it.
 *
 * @param verdict what `runPoc` gave
 * @param commitment as it stands on chain
 * @param inputs what it was judged by, where several validators judge
 * @param earlierPolicy what it was sealed under, where it is judged again
 * @returns the statement, JSON throughout; the commitment stands under `sealpoolCommitment` in hexadecimal without 0x, the inputs under
 *   `sealpoolInputs` of a second subject, the policy under `sealpoolEarlierPolicy` of the last one
 */
export function verdictToInToto(
  verdict: PocVerdict,
  commitment: Digest,
  inputs?: Digest,
  earlierPolicy?: Digest,
): JsonObject {
  const name = `${verdict.pool.toLowerCase()}/${verdict.contribution}`
  const hex = (digest: Digest): string => encodeHex(digestToBytes(digest)).slice(2)
  return {
    _type: IN_TOTO,
    subject: [
      { name, digest: { sealpoolCommitment: hex(commitment) } },
      ...(inputs === undefined ? [] : [{ name: `${name}/inputs`, digest: { sealpoolInputs: hex(inputs) } }]),
      ...(earlierPolicy === undefined
        ? []
        : [{ name: `${name}/earlier-policy`, digest: { sealpoolEarlierPolicy: hex(earlierPolicy) } }]),
    ],
    predicateType: PREDICATE,
    predicate: verdict,
  }
}

/**
 * Signs a verdict: EIP-712 over the in-toto statement's digest, bound to chain, registry, pool and contribution. Contract facts are the
 * score in ten-thousandths and the digest of the code that judged.
 *
 * @param options verdict, context, and the validator's secp256k1 key
 * @returns the signed statement, JSON throughout
 * @throws CryptoError as `signStatement`
 */
export function signVerdict(options: {
  readonly verdict: PocVerdict
  readonly context: VerdictContext
  readonly privateKey: Uint8Array
}): SignedStatement {
  const { verdict, context, privateKey } = options
  return signStatement({
    statement: statementOf(verdict, context),
    context: statementContext(verdict, context),
    privateKey,
  })
}

function statementOf(
  verdict: PocVerdict,
  { commitment, inputs, earlierPolicy }: VerdictContext,
): SignedStatement['statement'] {
  return { ...STATEMENT, body: verdictToInToto(verdict, commitment, inputs, earlierPolicy) }
}

function statementContext(verdict: PocVerdict, context: VerdictContext): SignedStatement['context'] {
  return {
    chainId: context.chainId,
    registry: context.registry,
    pool: verdict.pool,
    subject: context.subject,
    nonce: context.nonce ?? '0',
    facts: [
      { type: 'uint256', value: String(scoreUnits(verdict)) },
      { type: 'bytes32', value: encodeHex(digestToBytes(verdict.poc)) },
    ],
  }
}

/** A verdict that was read from a signed statement. */
export interface VerifiedVerdict {
  readonly verdict: PocVerdict
  readonly signer: Address
  /** The statement as the signer made it, without anything that came beside it: what is kept and shown to others. */
  readonly statement: SignedStatement
}

/**
 * Reads and verifies a signed verdict offline. Pool, contribution, code and inputs are the reader's: a verdict that says others is refused by
 * a code of its own, whoever signed it.
 *
 * @param hostile what came, of any form and depth
 * @param expected what the reader knows: what it is about, where it counts, and whose word does
 * @returns the verdict, who signed it, and the statement
 * @throws PocError `VERDICT_OF_ANOTHER_POOL`, `VERDICT_OF_ANOTHER_CONTRIBUTION`, `VERDICT_BY_OTHER_CODE`, `VERDICT_OVER_OTHER_INPUTS`;
 *   `STATEMENT_INVALID` naming what else does not hold; `VERDICT_INVALID`
 */
export function verifyVerdict(hostile: unknown, expected: ExpectedVerdict): VerifiedVerdict {
  const signed = readStatement(hostile)
  const { body, type, version } = signed.statement
  if (type !== STATEMENT.type || version !== STATEMENT.version) throw invalid('statement.type')
  const verdict = parsePocVerdict(body['predicate'])
  const { context } = expected
  if (verdict.pool.toLowerCase() !== expected.pool.toLowerCase()) throw another('VERDICT_OF_ANOTHER_POOL')
  if (verdict.contribution !== expected.contribution) throw another('VERDICT_OF_ANOTHER_CONTRIBUTION')
  if (verdict.poc !== expected.poc) throw another('VERDICT_BY_OTHER_CODE')
  const inputs = inputsOf(body)
  if (inputs !== context.inputs) throw another('VERDICT_OVER_OTHER_INPUTS')
  const own = { statement: statementOf(verdict, context), context: statementContext(verdict, context) }
  if (!same(body, own.statement.body)) throw invalid('statement.body')
  if (!same(normal(signed.context), normal(own.context))) throw invalid('context')
  const signer = signerOf(signed, expected.validators)
  return { verdict, signer, statement: { ...own, signer, signature: signed.signature } }
}

/** The inputs that a statement names; anything that is none is left to the comparison of the whole body. */
function inputsOf(body: JsonObject): Digest | undefined {
  const { subject } = body
  const second: unknown = Array.isArray(subject) ? subject[1] : undefined
  const digest =
    typeof second === 'object' && second !== null && 'digest' in second ? second.digest : undefined
  const hex =
    typeof digest === 'object' && digest !== null && 'sealpoolInputs' in digest
      ? digest.sealpoolInputs
      : undefined
  return typeof hex === 'string' && /^[0-9a-f]{64}$/.test(hex) ? `sha256:${hex}` : undefined
}
