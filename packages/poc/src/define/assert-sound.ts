import type { Dimension } from './check.js'
import type { PocDefinition } from './define-poc.js'
import { MOST_SCREEN_LOSS } from './screen.js'

/** What a score is made of. */
export const dimensions = ['authenticity', 'ownership', 'quality', 'uniqueness'] as const

/** @throws TypeError when a definition contradicts itself */
export function assertSound<Value>(definition: PocDefinition<Value>): void {
  const { id, version, score, checks, factors = [], minimumScore = 0 } = definition
  const weights = dimensions.map((dimension) => score[dimension] ?? 0)
  if (!weights.every((weight) => weight >= 0 && weight < Infinity) || !weights.some((weight) => weight > 0)) {
    throw new TypeError('definePoc: score needs weights of at least 0, one of them above')
  }
  const isFactor = (dimension: Dimension): boolean => dimensions.includes(dimension) && !score[dimension]
  if (new Set(factors).size < factors.length || !factors.every(isFactor)) {
    throw new TypeError('definePoc: factors are dimensions without a weight, each once')
  }
  for (const [name, weight] of Object.entries(definition.weights ?? {})) {
    if (!Object.hasOwn(checks, name) || !(weight >= 0 && weight < Infinity)) {
      throw new TypeError('definePoc: weights are finite, at least 0, and of checks that are there')
    }
  }
  if (!(minimumScore >= 0 && minimumScore <= 1)) throw new TypeError('definePoc: minimumScore is from 0 to 1')
  const { screens = {}, screenLoss = 0 } = definition
  if (!(screenLoss >= 0 && screenLoss <= MOST_SCREEN_LOSS)) {
    throw new TypeError(`definePoc: screenLoss is from 0 to ${MOST_SCREEN_LOSS}`)
  }
  if (Object.keys(screens).some((name) => Object.hasOwn(checks, name))) {
    throw new TypeError(
      'definePoc: a screen and a check have one name; the evidence could not tell them apart',
    )
  }
  if (id === '' || version === '') throw new TypeError('definePoc: id and version are needed')
  if (Object.keys(checks).length === 0) throw new TypeError('definePoc: at least one check is needed')
}
