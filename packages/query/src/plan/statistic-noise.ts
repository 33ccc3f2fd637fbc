import { zcdpRho } from '@sealpool/privacy'
import { nanoEpsilon, picoRho } from '../enforce/budget.js'
import { QueryError } from '../errors.js'
import type { StatisticPlan } from './plan.js'
import type { DraftStatistic } from './statistics.js'

/**
 * The most rho, in 1e-12, that still implies (epsilon, delta). Cut to eight digits: a last bit of a logarithm must not make two
 * planners disagree.
 *
 * @throws QueryError `BUDGET_INVALID`
 */
export function affordableRho(nano: number, delta: number): number {
  const pico = Math.floor(zcdpRho({ epsilon: nano / nanoEpsilon, delta }) * picoRho * (1 - 1e-9))
  if (!(pico >= 1)) throw new QueryError('BUDGET_INVALID', 'budget')
  const unit = 10 ** Math.max(0, String(pico).length - 8)
  return Math.floor(pico / unit) * unit
}

/**
 * Laplace noise and choices of a part of epsilon.
 *
 * @throws QueryError `BUDGET_INVALID`
 */
export function hideByEpsilon(
  { sensitivity, mechanism }: DraftStatistic,
  epsilonNano: number,
): StatisticPlan {
  if (epsilonNano < 1) throw new QueryError('BUDGET_INVALID', 'budget')
  return {
    mechanism,
    sensitivity: String(sensitivity),
    epsilonNano,
    scale: { numerator: String(sensitivity * BigInt(nanoEpsilon)), denominator: String(epsilonNano) },
  }
}

/**
 * Gaussian noise of a part of rho. What is pure in a plan with Gaussian noise costs half the square of its epsilon (Bun, Steinke 2016, proposition 1.4).
 *
 * @throws QueryError `BUDGET_INVALID`
 */
export function hideByRho(drafted: DraftStatistic, rhoPico: number): StatisticPlan {
  if (rhoPico < 1) throw new QueryError('BUDGET_INVALID', 'budget')
  if (drafted.mechanism !== 'discrete-laplace') {
    const epsilonNano = Math.floor(Math.sqrt(rhoPico * 2e6) * (1 - 1e-9))
    return { ...hideByEpsilon(drafted, epsilonNano), rhoPico }
  }
  const { sensitivity, squared } = drafted
  return {
    mechanism: 'discrete-gaussian',
    sensitivity: String(sensitivity),
    squaredSensitivity: String(squared),
    epsilonNano: 0,
    rhoPico,
    scale: { numerator: String(squared * BigInt(picoRho)), denominator: String(2n * BigInt(rhoPico)) },
  }
}
