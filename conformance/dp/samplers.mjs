// Samplers against the distributions that they claim: chi-square over exact masses, and every path of their coins.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { discreteGaussian, discreteLaplace, permuteAndFlip, reportNoisyMax } from '@sealpool/privacy'
import { deterministicRandom } from '../reader/deterministic-random.mjs'

const samples = 60_000

/** z-score of a chi-square statistic; cells that expect fewer than 20 are one. */
function chiSquare(values, masses) {
  const seen = new Map()
  for (const value of values) seen.set(value, (seen.get(value) ?? 0) + 1)
  let [statistic, cells, restExpected, restSeen] = [0, 0, values.length, values.length]
  for (const [value, mass] of masses) {
    const expected = mass * values.length
    if (expected < 20) continue
    const count = seen.get(value) ?? 0
    statistic += (count - expected) ** 2 / expected
    restExpected -= expected
    restSeen -= count
    cells += 1
  }
  if (restExpected > 5) {
    statistic += (restSeen - restExpected) ** 2 / restExpected
    cells += 1
  }
  return (statistic - (cells - 1)) / Math.sqrt(2 * (cells - 1))
}

const around = (reach, mass) =>
  new Map(Array.from({ length: 2 * reach + 1 }, (_, index) => [index - reach, mass(index - reach)]))

function laplaceMasses(scale) {
  const q = Math.exp(-1 / scale)
  return around(Math.ceil(30 * scale) + 5, (x) => ((1 - q) / (1 + q)) * q ** Math.abs(x))
}

function gaussianMasses(sigma) {
  const reach = Math.ceil(12 * sigma) + 5
  const weights = around(reach, (x) => Math.exp((-x * x) / (2 * sigma * sigma)))
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
  return new Map([...weights].map(([x, weight]) => [x, weight / total]))
}

/** Permute-and-flip by its definition: over all orders, which candidate is taken first. */
function permuteMasses(scores, rate) {
  const best = Math.max(...scores)
  const accept = scores.map((score) => Math.exp(rate * (score - best)))
  const masses = new Map(scores.map((_, index) => [index, 0]))
  const visit = (left, reach) => {
    for (const candidate of left) {
      const chance = reach / left.length
      masses.set(candidate, masses.get(candidate) + chance * accept[candidate])
      visit(
        left.filter((other) => other !== candidate),
        chance * (1 - accept[candidate]),
      )
    }
  }
  visit([...scores.keys()], 1)
  return masses
}

/** Report-noisy-max with one-sided geometric noise: sums over the winner's noisy score; ties go to the lower index. */
function noisyMaxMasses(scores, rate) {
  const mass = (k) => (k < 0 ? 0 : (1 - Math.exp(-rate)) * Math.exp(-rate * k))
  const atMost = (k) => (k < 0 ? 0 : 1 - Math.exp(-rate * (k + 1)))
  const masses = new Map()
  for (const [index, score] of scores.entries()) {
    let total = 0
    for (let top = Math.max(...scores); top < Math.max(...scores) + 60 / rate; top++) {
      let others = 1
      for (const [other, rival] of scores.entries()) {
        if (other !== index) others *= atMost(top - rival - (other < index ? 1 : 0))
      }
      total += mass(top - score) * others
    }
    masses.set(index, total)
  }
  return masses
}

/** @param count counts one case: `(kind, agrees, what)` */
export function samplerCases(count) {
  const chi = (kind, what, masses, draw) => {
    const values = Array.from({ length: samples }, () => Number(draw()))
    const z = chiSquare(values, masses)
    count(kind, Math.abs(z) < 4.5, `${what}: chi-square z ${z.toFixed(2)}`)
    // The same samples must not pass for a distribution that is a tenth wider.
    return values
  }
  for (const [numerator, denominator] of [
    [1n, 3n],
    [1n, 1n],
    [7n, 3n],
    [20n, 1n],
    [1_000_003n, 70_001n],
  ]) {
    const scale = Number(numerator) / Number(denominator)
    const random = deterministicRandom(`chi laplace ${scale}`)
    const what = `scale ${numerator}/${denominator}`
    const draw = () => discreteLaplace({ scale: { numerator, denominator }, random })
    const values = chi('discrete Laplace, chi-square', what, laplaceMasses(scale), draw)
    const power = chiSquare(values, laplaceMasses(scale * 1.1))
    count(
      'chi-square tells a tenth apart',
      power > 8,
      `${what}: z ${power.toFixed(1)} for 1.1 times the scale`,
    )
  }
  for (const [numerator, denominator] of [
    [1n, 4n],
    [1n, 1n],
    [17n, 3n],
    [400n, 1n],
    [123_456_789n, 1_000_000n],
  ]) {
    const sigma = Math.sqrt(Number(numerator) / Number(denominator))
    const random = deterministicRandom(`chi gaussian ${sigma}`)
    const what = `sigma squared ${numerator}/${denominator}`
    const draw = () => discreteGaussian({ sigmaSquared: { numerator, denominator }, random })
    const values = chi('discrete Gaussian, chi-square', what, gaussianMasses(sigma), draw)
    const power = chiSquare(values, gaussianMasses(sigma * 1.1))
    count('chi-square tells a tenth apart', power > 8, `${what}: z ${power.toFixed(1)} for 1.1 times sigma`)
  }
  for (const scores of [
    [0, 0],
    [3, 1, 2],
    [5, 5, 4, 0],
    [-2, 7, 6, 6, 1],
  ]) {
    for (const [epsilon, monotone] of [
      [1, false],
      [0.5, true],
    ]) {
      const rate = monotone ? epsilon : epsilon / 2
      const options = { scores: scores.map(BigInt), epsilon, sensitivity: 1n, monotone }
      const what = `scores ${scores.join(' ')}, epsilon ${epsilon}${monotone ? ', monotone' : ''}`
      const random = deterministicRandom(`select ${what}`)
      chi('permute-and-flip, chi-square', what, permuteMasses(scores, rate), () =>
        permuteAndFlip({ ...options, random }),
      )
      chi('report-noisy-max, chi-square', what, noisyMaxMasses(scores, rate), () =>
        reportNoisyMax({ ...options, random }),
      )
    }
  }
}

/** Exact masses: the package's own tests that follow every way in which the coins can fall; they replace parts inside of the package. */
export function exactMassCases(count, print) {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-mass-'))
  const file = join(folder, 'results.json')
  const tests = ['exact-mass', 'bernoulli-mass'].map(
    (name) => `packages/privacy/src/mechanism/${name}.isolated.test.ts`,
  )
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      'node-isolated',
      '--reporter',
      'json',
      '--outputFile',
      file,
      ...tests,
    ],
    { cwd: root, encoding: 'utf8', timeout: 300_000, maxBuffer: 1 << 26 },
  )
  try {
    const { testResults } = JSON.parse(readFileSync(file, 'utf8'))
    for (const { title, status: outcome } of testResults.flatMap(
      ({ assertionResults }) => assertionResults,
    )) {
      count('exact mass, over all paths', outcome === 'passed', title)
    }
  } catch (error) {
    count('exact mass, over all paths', false, `the tests did not run (${status}): ${error.message}`)
    print(stderr.trim())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
