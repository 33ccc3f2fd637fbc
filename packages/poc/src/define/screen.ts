import type { CheckContext } from './check.js'
import type { Evidence } from './define-poc.js'

/** Most that all screens of a proof together may take off its quality: a fifth. */
export const MOST_SCREEN_LOSS = 0.2

/** From this suspicion on a screen asks for a review, and costs what the definition lets it cost. */
export const REVIEW_FROM = 0.5

/**
 * What a screen found. It is a guess from how a file looks, never evidence of who made it, and has no field by which a contribution could
 * be refused: a definition says by `screenLoss` what it may cost, and no more than `MOST_SCREEN_LOSS`.
 */
export interface ScreenFinding {
  /** 0: as honest files look; 1: as made-up ones do. No probability. */
  readonly suspicion: number
  /** Where in the file, for example `steps`; the screen's name when absent. */
  readonly place?: string
}

/** A heuristic beside the checks: pure, and null where there is too little to look at. */
export type Screen<Value> = (value: Value, context: CheckContext) => ScreenFinding | null

/** What the screens of a definition say together. */
export interface Screened {
  readonly evidence: readonly Evidence[]
  /** The greatest suspicion from which on a review is asked for; 0 when no screen does. */
  readonly suspicion: number
}

/**
 * Asks the screens. Whatever one throws, a refusal too, means that it did not look: a screen decides nothing.
 *
 * @param screens by name
 * @param value what the checks see
 * @param context what the checks see
 */
export function askScreens<Value>(
  screens: Readonly<Record<string, Screen<Value>>>,
  value: Value,
  context: CheckContext,
): Screened {
  const evidence: Evidence[] = []
  let greatest = 0
  for (const [check, screen] of Object.entries(screens)) {
    const found = ask(screen, value, context)
    const { suspicion = 0, place = check } = found ?? {}
    const asksForReview = suspicion >= REVIEW_FROM
    if (asksForReview) greatest = Math.max(greatest, suspicion)
    evidence.push({
      check,
      result: found === null ? 'not-checked' : asksForReview ? 'review' : 'pass',
      place,
      heuristic: true,
      ...(found === null ? {} : { degree: Math.round((1 - suspicion) * 100) / 100 }),
    })
  }
  return { evidence, suspicion: greatest }
}

function ask<Value>(screen: Screen<Value>, value: Value, context: CheckContext): ScreenFinding | null {
  try {
    const found = screen(value, context)
    if (found === null) return null
    // Not a number counts as nothing.
    const suspicion = found.suspicion > 0 ? Math.min(1, found.suspicion) : 0
    return found.place === undefined ? { suspicion } : { suspicion, place: found.place.slice(0, 120) }
  } catch {
    return null
  }
}
