import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import { PocError } from '../errors.js'
import { type PocVerdict, verdictDigest } from '../verdict/verdict.js'
import {
  type ExpectedVerdict,
  type VerdictContext,
  type VerifiedVerdict,
  verifyVerdict,
} from '../verdict/verdict-statement.js'
import { type DisputeEvidence, differingFields, disputeBetween, wordOf } from './dispute.js'

/** What several validators came to. */
export interface Agreement {
  /** `agreed`: enough said the same. `disputed`: all were heard, or too few are left to agree. `waiting`: more may come. */
  readonly status: 'agreed' | 'disputed' | 'waiting'
  readonly verdict: PocVerdict | undefined
  /** Who said what was agreed, in the order of the list of validators. */
  readonly agreeing: readonly Address[]
  /** Their statements in the same order: whoever has them comes to the same verdict. */
  readonly statements: readonly SignedStatement[]
  /** Who said something else, and in which fields of the verdict. Recorded even when the others agree. */
  readonly dissenting: readonly {
    readonly validator: Address
    readonly digest: Digest
    readonly fields: readonly string[]
  }[]
  /** Who signed two different verdicts on one contribution: a proof against them. They count for nothing. */
  readonly equivocating: readonly Address[]
  /** Pairs of signed verdicts that contradict each other, one for each who dissents or equivocates: anyone can check them. */
  readonly disputes: readonly DisputeEvidence[]
  /** Statements that do not verify, by place in the list, with reason and place. */
  readonly rejected: readonly { readonly index: number; readonly code: string; readonly place: string }[]
}

/**
 * Counts validators' verdicts on one contribution: `threshold` equal ones of different validators are an agreement. A verdict is a pure
 * function of bytes, facts and code, so honest validators agree to the last digit, and one who differs is wrong or lies.
 *
 * @param options `statements` as they came, of any form; `validators` that count; `threshold`: more than half of them; `pool`,
 *   `contribution`, `poc` and `context`: what they must be about, with the inputs that all judged by
 * @returns the outcome; a lying minority is outvoted and named
 * @throws PocError `OPTION_INVALID` when two agreements would be possible, validators repeat, or the inputs are not named
 */
export function agreeOnVerdict(
  options: Omit<ExpectedVerdict, 'context'> & {
    readonly statements: readonly unknown[]
    readonly threshold: number
    readonly context: VerdictContext & Required<Pick<VerdictContext, 'inputs'>>
  },
): Agreement {
  const { threshold } = options
  const validators = options.validators.map((address) => address.toLowerCase() as Address)
  requireSound(validators, threshold, options.context)
  const said = new Map<Address, Map<Digest, VerifiedVerdict>>()
  const rejected: Agreement['rejected'][number][] = []
  options.statements.forEach((statement, index) => {
    try {
      const verified = verifyVerdict(statement, { ...options, validators })
      const own = said.get(verified.signer) ?? new Map<Digest, VerifiedVerdict>()
      const word = wordOf(verified.verdict)
      if (!own.has(word)) own.set(word, verified)
      said.set(verified.signer, own)
    } catch (error) {
      // Whatever one validator sends, it must not keep the others from agreeing.
      const known = error instanceof PocError
      rejected.push({
        index,
        code: known ? error.code : 'STATEMENT_INVALID',
        place: known ? error.place : 'statement',
      })
    }
  })
  const equivocating = validators.filter((address) => (said.get(address)?.size ?? 0) > 1)
  const votes = new Map<Digest, VerifiedVerdict[]>()
  for (const address of validators) {
    const own = [...(said.get(address) ?? [])]
    const [only] = own
    if (only === undefined || own.length > 1) continue
    const [word, verified] = only
    const vote = votes.get(word)
    if (vote === undefined) votes.set(word, [verified])
    else vote.push(verified)
  }
  const most = Math.max(0, ...[...votes.values()].map(({ length }) => length))
  const winner = [...votes.values()].find(({ length }) => length === most && most >= threshold)
  const open = validators.length - said.size
  const status = winner !== undefined ? 'agreed' : most + open < threshold ? 'disputed' : 'waiting'
  // Without an agreement the fields are told against what most said.
  const reference = (winner ?? [...votes.values()].find(({ length }) => length === most))?.[0]
  const against = [...votes.values()].flatMap((by) =>
    reference === undefined || by[0] === reference ? [] : by.map((one) => ({ one, reference })),
  )
  return {
    status,
    verdict: winner?.[0]?.verdict,
    agreeing: winner?.map(({ signer }) => signer) ?? [],
    statements: winner?.map(({ statement }) => statement) ?? [],
    dissenting: against.map(({ one }) => ({
      validator: one.signer,
      digest: verdictDigest(one.verdict),
      fields: reference === undefined ? [] : differingFields(reference.verdict, one.verdict),
    })),
    equivocating,
    disputes: [
      ...against.map(({ one, reference: other }) => disputeBetween(other, one)),
      ...equivocating.flatMap((address) => {
        const [first, second] = [...(said.get(address)?.values() ?? [])]
        return first === undefined || second === undefined ? [] : [disputeBetween(first, second)]
      }),
    ],
    rejected,
  }
}

function requireSound(validators: readonly Address[], threshold: number, context: VerdictContext): void {
  if (new Set(validators).size !== validators.length) {
    throw new PocError('OPTION_INVALID', 'validators', 'a validator stands twice in the list')
  }
  if (
    !Number.isSafeInteger(threshold) ||
    threshold * 2 <= validators.length ||
    threshold > validators.length
  ) {
    throw new PocError(
      'OPTION_INVALID',
      'threshold',
      'a threshold is more than half of the validators, and not more than all',
    )
  }
  if (context.inputs === undefined) {
    throw new PocError(
      'OPTION_INVALID',
      'context.inputs',
      'name what the validators judged by: verdictInputs',
    )
  }
}
