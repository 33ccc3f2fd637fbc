import { PrivacyError } from '../errors.js'

/**
 * Smallest epsilon that rho-zCDP implies at a given delta.
 *
 * Minimises over alpha the bound of Canonne, Kamath, Steinke 2020 (corollary 13):
 * epsilon = alpha rho + (log(1/delta) + (alpha - 1) log(1 - 1/alpha) - log(alpha)) / (alpha - 1).
 * Every alpha gives a valid bound, so an imperfect search can only err on the safe side.
 *
 * @param options - `rho` of at least 0, `delta` in (0, 1).
 * @returns Epsilon, at least 0.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function zcdpEpsilon(options: { readonly rho: number; readonly delta: number }): number {
  const { rho, delta } = options
  if (!(rho >= 0 && Number.isFinite(rho))) {
    throw new PrivacyError('PARAMETER_INVALID', 'rho', 'rho must be a finite number of at least 0.')
  }
  checkDelta(delta)
  if (rho === 0) return 0
  const bound = (logOrder: number): number => {
    const above = Math.exp(logOrder)
    const alpha = 1 + above
    return alpha * rho + (-Math.log(delta) + above * Math.log(above / alpha) - Math.log(alpha)) / above
  }
  // The bound falls and then rises in alpha; golden section on log(alpha - 1).
  const ratio = (Math.sqrt(5) - 1) / 2
  let low = -18
  let high = 45
  let inner = high - ratio * (high - low)
  let outer = low + ratio * (high - low)
  let atInner = bound(inner)
  let atOuter = bound(outer)
  for (let step = 0; step < 120; step++) {
    if (atInner < atOuter) {
      high = outer
      outer = inner
      atOuter = atInner
      inner = high - ratio * (high - low)
      atInner = bound(inner)
    } else {
      low = inner
      inner = outer
      atInner = atOuter
      outer = low + ratio * (high - low)
      atOuter = bound(outer)
    }
  }
  return Math.max(0, Math.min(atInner, atOuter))
}

/**
 * Largest rho whose zCDP guarantee still implies (epsilon, delta), rounded down.
 *
 * @param options - `epsilon` of at least 0, `delta` in (0, 1).
 * @returns rho with `zcdpEpsilon({ rho, delta }) <= epsilon`.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function zcdpRho(options: { readonly epsilon: number; readonly delta: number }): number {
  const { epsilon, delta } = options
  if (!(epsilon >= 0 && Number.isFinite(epsilon))) {
    throw new PrivacyError('PARAMETER_INVALID', 'epsilon', 'epsilon must be a finite number of at least 0.')
  }
  checkDelta(delta)
  let low = 0
  let high = epsilon + 1e-300
  for (let step = 0; step < 200 && high - low > low * 1e-14; step++) {
    const middle = (low + high) / 2
    if (zcdpEpsilon({ rho: middle, delta }) <= epsilon) low = middle
    else high = middle
  }
  return low * (1 - 1e-12)
}

function checkDelta(delta: number): void {
  if (!(delta > 0 && delta < 1)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'delta',
      'delta must lie strictly between 0 and 1: zCDP gives no pure guarantee. Use basic accounting with Laplace noise for delta 0.',
    )
  }
}
