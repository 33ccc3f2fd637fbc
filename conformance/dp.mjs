// Differential privacy: `npm run conformance -- dp [--data DIR]`. Numbers of Google's dp_accounting (oracle.json of the folder, see
// shared/data/README.md) against the built @sealpool/privacy; samplers by chi-square and exact masses; record and replay of 600
// generated questions on neighbouring tables; budgets. A case is one number or one decision.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  affordable,
  analyticGaussianSigma,
  applyCharge,
  createFilter,
  discreteGaussian,
  discreteLaplace,
  gaussianSigmaFor,
  keepProbability,
  selectPartition,
  spentBudget,
  zcdpEpsilon,
  zcdpRho,
} from '@sealpool/privacy'
import { laplaceThreshold } from '@sealpool/privacy/statistic'
import { trainingCharge } from '@sealpool/privacy/training'
import { budgetCases } from './dp/budget.mjs'
import { replayCases } from './dp/replay.mjs'
import { exactMassCases, samplerCases } from './dp/samplers.mjs'
import { deterministicRandom } from './reader/deterministic-random.mjs'
import { createTally } from './reader/tally.mjs'

/** At most `limit`, and less than it by no more than one part in `1 / slack`. */
const justBelow = (value, limit, slack) => value <= limit * (1 + 1e-12) && value >= limit * (1 - slack)
/** At least `limit`, and more than it by no more than one part in `1 / slack`. */
const justAbove = (value, limit, slack) => value >= limit * (1 - 1e-12) && value <= limit * (1 + slack)

/**
 * @param {object} options
 * @param {string} options.data folder with oracle.json
 * @param {(line: string) => void} options.print
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ data, print }) {
  const oracle = JSON.parse(readFileSync(join(data, 'oracle.json'), 'utf8'))
  const { count, finish } = createTally(print)
  calibration(count, oracle.gaussian_sigma ?? [])
  conversion(count, oracle.zcdp_to_eps ?? [])
  composition(count, oracle.composition ?? [])
  for (const [name, entries] of Object.entries(oracle)) {
    const totals = /^releases_that_fit_eps([0-9.e+-]+)_delta([0-9.e+-]+)$/.exec(name)
    if (totals !== null) releases(count, entries, Number(totals[1]), Number(totals[2]))
  }
  selection(count, oracle.keep_probability ?? [], oracle.keep_half_at ?? [])
  const samples = 40_000
  for (const entry of oracle.discrete_laplace ?? []) {
    const random = deterministicRandom(`laplace ${entry.scale}`)
    const scale = fractionOf(entry.scale)
    sampled(count, 'discrete Laplace, sampled', entry, samples, () => discreteLaplace({ scale, random }))
  }
  for (const entry of oracle.discrete_gaussian ?? []) {
    const random = deterministicRandom(`gaussian ${entry.scale}`)
    const { numerator, denominator } = fractionOf(entry.scale)
    const sigmaSquared = { numerator: numerator ** 2n, denominator: denominator ** 2n }
    sampled(count, 'discrete Gaussian, sampled', entry, samples, () =>
      discreteGaussian({ sigmaSquared, random }),
    )
  }
  samplerCases(count)
  exactMassCases(count, print)
  replayCases(count)
  await budgetCases(count, oracle.zcdp_to_eps ?? [])
  return finish()
}

/** A decimal number as the fraction that its digits say. */
function fractionOf(scale) {
  const [mantissa, exponent = '0'] = String(scale).split('e')
  const [whole, fraction = ''] = mantissa.split('.')
  const shift = Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  return shift >= 0
    ? { numerator: digits * 10n ** BigInt(shift), denominator: 1n }
    : { numerator: digits, denominator: 10n ** BigInt(-shift) }
}

function calibration(count, entries) {
  for (const { eps, delta, sigma_over_l2: sigma } of entries) {
    const what = `epsilon ${eps}, delta ${delta}`
    const analytic = analyticGaussianSigma({ epsilon: eps, delta })
    count(
      'Gaussian sigma, analytic',
      justAbove(analytic, sigma, 1e-7),
      `${what}: ${analytic}, oracle ${sigma}`,
    )
    // Through zCDP the same guarantee costs more noise, never less.
    const { sigma: integers, rho } = gaussianSigmaFor({ epsilon: eps, delta, sensitivity: 1n })
    const holds = integers > sigma && zcdpEpsilon({ rho, delta }) <= eps * (1 + 1e-9)
    count('Gaussian sigma, through zCDP', holds, `${what}: ${integers}, rho ${rho}`)
  }
}

function conversion(count, entries) {
  for (const { rho, delta, eps, eps_simple: simple } of entries) {
    const what = `rho ${rho}, delta ${delta}`
    const epsilon = zcdpEpsilon({ rho, delta })
    count('zCDP to epsilon', Math.abs(epsilon / eps - 1) < 1e-9, `${what}: ${epsilon}, oracle ${eps}`)
    count('zCDP to epsilon', epsilon <= simple, `${what}: ${epsilon} above the simple bound ${simple}`)
    const back = zcdpRho({ epsilon: eps, delta })
    count('epsilon to zCDP', justBelow(back, rho, 1e-8), `${what}: ${back}`)
  }
}

/** A filter that converts at `delta`: it keeps half of its own for charges that have a delta. */
const wideFilter = (accounting, epsilon, delta) =>
  createFilter({ accounting, epsilon, delta: accounting === 'zcdp' ? 2 * delta : delta })

/** Charges of one entry, as often as it says. A mechanism with a zCDP guarantee of its own states it. */
function chargesOf({ mech, eps0, sigma, n, delta }) {
  const gaussian = (scale) => {
    const rho = 1 / (2 * scale ** 2)
    return { epsilon: zcdpEpsilon({ rho, delta }), delta, zcdp: { rho, delta: 0 } }
  }
  if (mech === 'laplace') return Array(n).fill({ epsilon: eps0, delta: 0 })
  if (mech === 'gaussian') return Array(n).fill(gaussian(sigma))
  const mixed = /^mix laplace eps([\d.e+-]+) x(\d+) \+ gaussian sigma([\d.e+-]+) x(\d+)$/.exec(mech)
  if (mixed === null) return null
  const [epsilon, laplaces, scale, gaussians] = mixed.slice(1).map(Number)
  return [...Array(laplaces).fill({ epsilon, delta: 0 }), ...Array(gaussians).fill(gaussian(scale))]
}

function composition(count, entries) {
  for (const entry of entries) {
    const what = `${entry.mech} ${entry.eps0 ?? entry.sigma ?? ''} x ${entry.n ?? ''}`
    const charges = chargesOf(entry)
    for (const accounting of ['basic', 'zcdp']) {
      const expected = entry[accounting]
      if (expected === undefined) continue
      const kind = `composition, ${accounting}`
      if (charges === null) {
        count(kind, false, `${what}: unknown mechanism`)
        continue
      }
      const state = charges.reduce(applyCharge, wideFilter(accounting, 1_000, entry.delta))
      const spent = Number(spentBudget(state).epsilonSpent)
      // What is shown is rounded up, to 1e-9 and from rho in units of 1e-12.
      count(
        kind,
        spent >= expected - 1e-9 && spent <= expected + 1e-6,
        `${what}: ${spent}, oracle ${expected}`,
      )
      // The exact loss of the composition is a floor for every sound way of counting. Google rounds its losses up, by 1e-4 at most.
      if (entry.pld !== undefined) {
        count(
          'never below the exact privacy loss',
          spent >= entry.pld - 1e-4,
          `${what}: ${spent}, exact ${entry.pld}`,
        )
      }
    }
    const { mech, sigma, n, delta } = entry
    if (mech !== 'gaussian') continue
    if (entry.exact !== undefined) {
      // n Gaussians of sigma are one of sigma / sqrt(n).
      const ratio = analyticGaussianSigma({ epsilon: entry.exact, delta })
      count(
        'composed Gaussians, exact',
        justAbove(ratio, sigma / Math.sqrt(n), 1e-6),
        `${what}: ${ratio}, oracle ${sigma / Math.sqrt(n)}`,
      )
    }
    if (entry.rdp !== undefined) {
      const { epsilon } = trainingCharge({ noiseMultiplier: sigma, samplingRate: 1, steps: n, delta })
      // Whole orders only, so a little above Google's, which has fractions too.
      count(
        'composed Gaussians, by Rényi divergence',
        epsilon >= entry.zcdp - 1e-6 && epsilon <= entry.rdp * 1.01,
        `${what}: ${epsilon}, oracle ${entry.rdp}`,
      )
    }
  }
}

function releases(count, entries, epsilon, delta) {
  for (const { eps0, ...expected } of entries) {
    for (const accounting of ['basic', 'zcdp']) {
      if (typeof expected[accounting] !== 'number') continue
      let state = wideFilter(accounting, epsilon, delta)
      let fitted = 0
      const charge = { epsilon: eps0, delta: 0 }
      while (affordable(state, charge)) {
        state = applyCharge(state, charge)
        fitted += 1
      }
      const what = `epsilon ${eps0}: ${fitted}, oracle ${expected[accounting]}`
      count(`releases that fit, ${accounting}`, fitted === expected[accounting], what)
    }
    // Why the package has no advanced composition: a zCDP filter fits at least as many, and it is adaptive.
    if (typeof expected.advanced === 'number' && typeof expected.zcdp === 'number') {
      const what = `epsilon ${eps0}: advanced ${expected.advanced}, zCDP ${expected.zcdp}`
      count('zCDP fits as many as advanced composition', expected.zcdp >= expected.advanced, what)
    }
  }
}

function selection(count, probabilities, halves) {
  for (const { eps, delta, at } of probabilities) {
    for (const [size, expected] of Object.entries(at)) {
      const contributors = Number(size)
      const kept = keepProbability({ epsilon: eps, delta, contributors })
      const what = `epsilon ${eps}, delta ${delta}, ${size} contributors: ${kept}, oracle ${expected}`
      const agrees = kept <= expected * (1 + 1e-9) + 1e-15 && kept >= expected * (1 - 1e-6) - 1e-9
      count('keep probability', agrees, what)
    }
    // The decisions themselves, where the probability is neither near 0 nor near 1.
    for (const [size, expected] of Object.entries(at).filter(([, value]) => value > 0.01 && value < 0.99)) {
      const random = deterministicRandom(`keep ${eps} ${delta} ${size}`)
      const draws = 4_000
      let kept = 0
      for (let draw = 0; draw < draws; draw++) {
        if (selectPartition({ epsilon: eps, delta, contributors: Number(size), random })) kept += 1
      }
      const error = Math.sqrt((expected * (1 - expected)) / draws)
      const what = `epsilon ${eps}, delta ${delta}, ${size} contributors: ${kept} of ${draws}, oracle ${expected}`
      count('groups kept, sampled', Math.abs(kept / draws - expected) < 5 * error, what)
    }
  }
  for (const { eps, delta, laplace_tau: tau } of halves) {
    if (tau === undefined) continue
    const threshold = laplaceThreshold({ epsilon: eps, delta, groupsPerContributor: 1 })
    // P[1 + noise >= threshold] for integer noise: at most delta, and above it for one less.
    const tail = (count) => Math.exp(-eps * (count - 1)) / (1 + Math.exp(-eps))
    const holds = tail(threshold) <= delta * (1 + 1e-9) && tail(threshold - 1) > delta * (1 - 1e-9)
    const near = threshold >= Math.floor(tau) && threshold <= Math.ceil(tau) + 1
    count('Laplace threshold', holds && near, `epsilon ${eps}, delta ${delta}: ${threshold}, oracle ${tau}`)
  }
  for (const { eps, delta, optimal } of halves) {
    const at = (contributors) => keepProbability({ epsilon: eps, delta, contributors })
    const agrees = at(optimal) >= 0.5 && at(optimal - 1) < 0.5
    count('half of the groups kept from', agrees, `epsilon ${eps}, delta ${delta}, oracle ${optimal}`)
  }
}

/**
 * Frequencies and variance of samples, each within five standard errors of the oracle's. The randomness is fixed, so the answer is
 * the same in every run.
 */
function sampled(count, kind, { scale, var: variance, ...masses }, samples, draw) {
  const values = Array.from({ length: samples }, () => Number(draw()))
  for (const [name, probability] of Object.entries(masses)) {
    const at = /^p([0-9]+)$/.exec(name)?.[1]
    if (at === undefined) continue
    for (const value of at === '0' ? [0] : [Number(at), -Number(at)]) {
      const seen = values.filter((each) => each === value).length
      const error = Math.sqrt((probability * (1 - probability)) / samples)
      const agrees = Math.abs(seen / samples - probability) <= 5 * error + 1 / samples
      count(kind, agrees, `scale ${scale}: ${seen} of ${samples} are ${value}, oracle ${probability}`)
    }
  }
  const moment = (power) => values.reduce((sum, value) => sum + value ** power, 0) / samples
  const second = moment(2)
  const error = Math.sqrt((moment(4) - second ** 2) / samples)
  count(
    kind,
    Math.abs(second - variance) < 5 * error,
    `scale ${scale}: variance ${second}, oracle ${variance}`,
  )
  count(
    kind,
    Math.abs(moment(1)) < 5 * Math.sqrt(second / samples),
    `scale ${scale}: mean ${moment(1)}, not 0`,
  )
}
