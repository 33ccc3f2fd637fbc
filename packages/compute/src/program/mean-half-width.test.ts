import { expect, test } from 'vitest'
import { deterministicNumbers } from '../testing/deterministic-random.js'
import { meanHalfWidth } from './mean-half-width.js'

test.each([
  ['laplace', 1],
  ['laplace', 0.5],
  ['laplace', 1 / 64],
  ['gaussian', 1 / Math.sqrt(3)],
  ['gaussian', 0.1],
] as const)('holds 95 %% of %s noise of two kinds, the second %d of the first', (kind, ratio) => {
  const scale = 1_000_000
  const fraction = (value: number) => ({ numerator: BigInt(value), denominator: 1n })
  const noise =
    kind === 'laplace' ? { kind, scale: fraction(scale) } : { kind, sigmaSquared: fraction(scale * scale) }
  const { uniform, normal } = deterministicNumbers(6)
  const draw = () => (kind === 'laplace' ? Math.log(uniform() / uniform()) : normal())
  const width = meanHalfWidth(noise, ratio) / scale
  const draws = 20_000
  let held = 0
  for (let index = 0; index < draws; index++) if (Math.abs(draw() + ratio * draw()) <= width) held += 1
  // Four standard errors of a share.
  expect(Math.abs(held / draws - 0.95)).toBeLessThan(4 * Math.sqrt((0.95 * 0.05) / draws))
})
