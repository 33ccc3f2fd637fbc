import { AttestError } from '../errors.js'
import { provisionalAnswers } from '../signature/provisional-answers.js'

/** One question that a verifier asks, with its answer. */
export interface Check {
  /** Stable name, for example `quote-signature`. */
  readonly id: string
  /** The question in plain words. */
  readonly title: string
  readonly result: 'pass' | 'fail' | 'not-checked'
  /** Why, in plain words. */
  readonly detail: string
}

/** A check's answer. */
export interface CheckAnswer {
  readonly result: Check['result']
  readonly detail: string
}

/** The check holds. */
export function pass(detail: string): CheckAnswer {
  return { result: 'pass', detail }
}

/** The check does not hold. */
export function fail(detail: string): CheckAnswer {
  return { result: 'fail', detail }
}

/** The check could not be made; that is never a pass. */
export function notChecked(detail: string): CheckAnswer {
  return { result: 'not-checked', detail }
}

/** `fail` with the problem when there is one, else `pass`. */
export function unless(problem: string | undefined, holds: string): CheckAnswer {
  return problem === undefined ? pass(holds) : fail(problem)
}

/** Collects answers to a list of questions that is fixed beforehand, so that none can be left out unseen. */
export interface CheckList {
  /**
   * Asks one question. It is answered `not-checked` without being asked when a question it builds on did not pass; a typed
   * error inside is a fail, unless it is about the caller's arguments.
   */
  run(id: string, needs: readonly string[], ask: () => CheckAnswer): boolean
  /** Whether these questions were asked and passed. */
  passed(...ids: string[]): boolean
  /** All questions in their fixed order; those never asked are `not-checked`, and so is every pass of a provisional run. */
  list(): Check[]
  /** True when every question passed, and no answer since the list was made was provisional (see `withWebCrypto`). */
  ok(): boolean
}

// Inside a list answers still count, so that a provisional run asks everything; what leaves it passes nothing.
const provisional = 'Its signatures were still being asked for (withWebCrypto).'

/**
 * @param titles question ids with their titles, in the order in which they are to be listed
 * @returns a list on which nothing is checked yet
 * @throws Error when a question is asked twice or is not on the list: a programming mistake, never the input's
 */
export function checkList(titles: Readonly<Record<string, string>>): CheckList {
  const answers = new Map<string, CheckAnswer>()
  const before = provisionalAnswers()
  const known = () => provisionalAnswers() === before
  const passed = (...ids: string[]) => ids.every((id) => answers.get(id)?.result === 'pass')
  const list = () =>
    Object.entries(titles).map(([id, title]): Check => {
      const answer = answers.get(id) ?? notChecked('This question was not reached.')
      return { id, title, ...(known() || answer.result !== 'pass' ? answer : notChecked(provisional)) }
    })
  return {
    passed,
    list,
    ok: () => known() && passed(...Object.keys(titles)),
    run(id, needs, ask) {
      if (!Object.hasOwn(titles, id) || answers.has(id))
        throw new Error(`check ${id} is unknown or asked twice`)
      const missing = needs.filter((need) => !passed(need))
      answers.set(id, missing.length > 0 ? notChecked(`It builds on ${missing.join(', ')}.`) : guarded(ask))
      return passed(id)
    },
  }
}

/**
 * What a list of checks leaves open. A verdict that was kept, cut or written by an older version proves no more than what stands in
 * it: each question must be answered exactly once.
 *
 * @param checks of a verdict
 * @param titles the questions of its kind
 * @returns a `not-checked` for each question that has not one answer
 */
export function unanswered(checks: readonly Check[], titles: Readonly<Record<string, string>>): Check[] {
  return Object.entries(titles)
    .filter(([id]) => checks.filter((check) => check.id === id).length !== 1)
    .map(([id, title]) => {
      return { id, title, ...notChecked('The verdict has not one answer to it.') }
    })
}

function guarded(ask: () => CheckAnswer): CheckAnswer {
  try {
    return ask()
  } catch (error) {
    // What the caller did wrong says nothing about the evidence.
    if (error instanceof AttestError && error.code !== 'BAD_ARGUMENT') return fail(error.message)
    throw error
  }
}
