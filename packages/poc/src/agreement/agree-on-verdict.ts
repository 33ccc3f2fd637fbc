import type { Address, Digest } from '@sealpool/crypto'
import { PocError } from '../errors.js'
import { type PocVerdict, verdictDigest } from '../verdict/verdict.js'
import { type VerdictContext, verifyVerdict } from '../verdict/verdict-statement.js'

/** What several validators came to. */
export interface Agreement {
  /** `agreed`: enough said the same. `disputed`: all were heard, or too few are left to agree. `waiting`: more may come. */
  readonly status: 'agreed' | 'disputed' | 'waiting'
  readonly verdict: PocVerdict | undefined
  /** Who said what was agreed, in the order of the list of validators. */
  readonly agreeing: readonly Address[]
  /** Who said something else, and in which fields of the verdict. Recorded even when the others agree. */
  readonly dissenting: readonly {
    readonly validator: Address
    readonly digest: Digest
    readonly fields: readonly string[]
  }[]
  /** Who signed two different verdicts on one contribution: a proof against them. They count for nothing. */
  readonly equivocating: readonly Address[]
  /** Statements that do not verify, by place in the list and reason. */
  readonly rejected: readonly { readonly index: number; readonly place: string }[]
}

/**
 * Counts validators' verdicts on one contribution: `threshold` equal ones of different validators are an agreement. A verdict is a pure
 * function of bytes, facts and code, so honest validators agree to the last digit, and one who differs is wrong or lies.
 *
 * @param options `statements` as they came, of any form; `validators` that count; `threshold`: more than half of them; `context` of the contribution
 * @returns the outcome; a lying minority is outvoted and named
 * @throws PocError `OPTION_INVALID` when two agreements would be possible, or validators repeat
 */
export function agreeOnVerdict(options: {
  readonly statements: readonly unknown[]
  readonly validators: readonly Address[]
  readonly threshold: number
  readonly context: VerdictContext
}): Agreement {
  const { statements, threshold, context } = options
  const validators = options.validators.map((address) => address.toLowerCase() as Address)
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
  const said = new Map<Address, Map<Digest, PocVerdict>>()
  const rejected: { index: number; place: string }[] = []
  statements.forEach((statement, index) => {
    try {
      const { verdict, signer } = verifyVerdict(statement, { context, validators })
      const own = said.get(signer) ?? new Map<Digest, PocVerdict>()
      own.set(verdictDigest(verdict), verdict)
      said.set(signer, own)
    } catch (error) {
      // Whatever one validator sends, it must not keep the others from agreeing.
      rejected.push({ index, place: error instanceof PocError ? error.place : 'statement' })
    }
  })
  const equivocating = validators.filter((address) => (said.get(address)?.size ?? 0) > 1)
  const votes = new Map<Digest, { readonly verdict: PocVerdict; readonly by: Address[] }>()
  for (const address of validators) {
    const own = said.get(address)
    if (own === undefined || own.size > 1) continue
    for (const [digest, verdict] of own) {
      const vote = votes.get(digest)
      if (vote === undefined) votes.set(digest, { verdict, by: [address] })
      else vote.by.push(address)
    }
  }
  const most = Math.max(0, ...[...votes.values()].map(({ by }) => by.length))
  const winner = [...votes.values()].find(({ by }) => by.length === most && most >= threshold)
  const open = validators.length - said.size
  const status = winner !== undefined ? 'agreed' : most + open < threshold ? 'disputed' : 'waiting'
  // Without an agreement the fields are told against what most said.
  const reference = winner ?? [...votes.values()].find(({ by }) => by.length === most)
  const dissenting = [...votes].flatMap(([digest, { verdict, by }]) =>
    reference === undefined || verdict === reference.verdict
      ? []
      : by.map((validator) => ({ validator, digest, fields: differingFields(reference.verdict, verdict) })),
  )
  return { status, verdict: winner?.verdict, agreeing: winner?.by ?? [], dissenting, equivocating, rejected }
}

function differingFields(left: PocVerdict, right: PocVerdict): string[] {
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  const text = (verdict: PocVerdict, name: string): string =>
    JSON.stringify(verdict[name as keyof PocVerdict]) ?? ''
  return [...names].filter((name) => text(left, name) !== text(right, name)).sort()
}
