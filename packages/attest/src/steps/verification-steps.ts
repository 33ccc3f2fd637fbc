import { AttestError } from '../errors.js'
import { compareReceipts } from '../receipt/compare.js'
import type { ReceiptVerdict, receiptCheckTitles } from '../receipt/verify.js'
import { type CheckAnswer, fail, notChecked, pass } from '../verdict/check-list.js'

/** The steps, in their order. */
export type VerificationStepId = 'machine' | 'datasets' | 'code' | 'receipt' | 'result' | 'partner'

/** One step of the check. */
export interface VerificationStep {
  readonly id: VerificationStepId
  /** Whether it can be taken before the computation is trusted with data, or only when there is a result. */
  readonly when: 'before' | 'after'
  readonly title: string
  readonly result: 'pass' | 'fail' | 'not-checked'
  /** Why not, for each check that did not pass; what it means, when all passed. */
  readonly detail: string
  /** The checks of the receipt that it stands for. */
  readonly checks: readonly string[]
}

/** What comes from the other party. */
export interface PartnerReceipt {
  /** The receipt that this party holds, as JSON. */
  readonly own: unknown
  /** The one that the other party holds. */
  readonly theirs: unknown
}

type ReceiptCheck = keyof typeof receiptCheckTitles

const steps: readonly (Pick<VerificationStep, 'id' | 'when' | 'title'> & { readonly fine: string })[] = [
  {
    id: 'machine',
    when: 'before',
    title: 'The machine: its attestation verifies, and every policy allows it',
    fine: 'Quote, keys and measurement were checked.',
  },
  {
    id: 'datasets',
    when: 'before',
    title: 'The data sets: their rules and the verdicts on them are the ones that were attested',
    fine: 'Policies, access and the verdicts on every input are those that the receipt names.',
  },
  {
    id: 'code',
    when: 'before',
    title: 'The code: what ran is what the pools allow and the manifest names',
    fine: 'Manifest, plan and code are those that the receipt names.',
  },
  {
    id: 'receipt',
    when: 'after',
    title: 'The receipt: signed by that machine, for this job, and its budgets add up',
    fine: 'Form, signature, place, charge and budgets were checked.',
  },
  {
    id: 'result',
    when: 'after',
    title: 'The result: its digest is the one in the receipt',
    fine: 'What was opened and what was sealed have the digests that were signed.',
  },
  {
    id: 'partner',
    when: 'after',
    title: 'The partner: both parties hold the same result',
    fine: 'The other party’s receipt says the same.',
  },
]

const stepOf: Readonly<Record<ReceiptCheck, Exclude<VerificationStepId, 'partner'>>> = {
  evidence: 'machine',
  trust: 'machine',
  'key-set': 'machine',
  'pool-trust': 'machine',
  simulated: 'machine',
  policies: 'datasets',
  access: 'datasets',
  verdicts: 'datasets',
  manifest: 'code',
  plan: 'code',
  code: 'code',
  'receipt-form': 'receipt',
  outcome: 'receipt',
  'receipt-key-set': 'receipt',
  'receipt-quote': 'receipt',
  signature: 'receipt',
  context: 'receipt',
  issued: 'receipt',
  budget: 'receipt',
  charge: 'receipt',
  keys: 'receipt',
  views: 'result',
  result: 'result',
  'sealed-result': 'result',
}

/**
 * Says a receipt's checklist as six steps: three that are about what is trusted with data (machine, data sets, code), three about
 * what came of it (receipt, result, the partner's view). Every check of the receipt belongs to one step, and a step passes only when all
 * of its checks did.
 *
 * @param verdict from `verifyReceipt`
 * @param partner the receipts of both parties; without them the last step is not checked
 * @returns six steps, always in the same order
 *
 * @example
 * ```ts no-run
 * const verdict = verifyReceipt({ ...bundle, trust, deployment, at: new Date() })
 * for (const { result, title } of verificationSteps(verdict, { own: bundle.receipt, theirs })) console.log(result, title)
 * ```
 */
export function verificationSteps(
  { checks }: Pick<ReceiptVerdict, 'checks'>,
  partner?: PartnerReceipt,
): readonly VerificationStep[] {
  return steps.map(({ fine, ...step }) => {
    if (step.id === 'partner') return { ...step, ...partnerAnswer(partner, fine), checks: [] }
    const ids = Object.entries(stepOf).flatMap(([id, at]) => (at === step.id ? [id] : []))
    // A kept verdict that has lost a check, or has it twice, answers nothing by it.
    const own = ids.map((id) => checks.filter((check) => check.id === id))
    const failed = own.flat().filter(({ result }) => result === 'fail')
    const open = own.some((found) => found.length !== 1 || found[0]?.result !== 'pass')
    const result = failed.length > 0 ? 'fail' : open ? 'not-checked' : 'pass'
    // What was not reached says nothing beside what failed.
    const reasons = failed.length > 0 ? failed : own.flat().filter((check) => check.result !== 'pass')
    const detail =
      result === 'pass'
        ? fine
        : reasons.map((check) => `${check.title}: ${check.detail}`).join('; ') || 'It was not checked.'
    return { ...step, result, detail, checks: ids }
  })
}

function partnerAnswer(partner: PartnerReceipt | undefined, fine: string): CheckAnswer {
  if (partner === undefined) return notChecked('The other party’s receipt was not given.')
  let comparison: ReturnType<typeof compareReceipts>
  try {
    comparison = compareReceipts(partner.own, partner.theirs)
  } catch (error) {
    if (error instanceof AttestError) return fail(error.message)
    throw error
  }
  switch (comparison.answer) {
    case 'same':
      return pass(fine)
    case 'different-jobs':
      return fail('the other party’s receipt is about another job')
    case 'not-final':
      return notChecked(
        'One of the two receipts only says why nothing was done when it was asked for; there may be a later one.',
      )
    case 'equivocation':
      return fail(
        `the node told the other party something else (${comparison.differing.join(', ')}): keep both receipts, they prove it`,
      )
    case 'different-nodes':
      return comparison.differing.length > 0
        ? fail(
            `another node signed the other party’s receipt, and it differs in ${comparison.differing.join(', ')}`,
          )
        : notChecked('Another node signed the other party’s receipt, and nothing here says whose it is.')
  }
}
