import { buffered, predrawn, type RandomBytes } from '@sealpool/privacy'
import { ComputeError } from '../errors.js'
import { exactSum, noisySum } from './bounded-sum.js'
import {
  type DesignFeature,
  type DesignRow,
  type DesignTarget,
  designRow,
  type PublicDesign,
  publicDesign,
  targetScale,
} from './design.js'
import { conditioner, correctionVector, estimate, momentVector } from './estimate.js'
import { dot, type Matrix, times } from './matrix.js'
import { COUNT_WEIGHT, type RegressionMechanism, type RegressionStage, stageNoise } from './mechanism.js'
import { simulatedHalfWidths } from './simulated-error.js'

/** A released coefficient with its interval, in the units of the data (log units for a log target). */
export interface Coefficient {
  readonly name: string
  readonly value: number
  readonly low: number
  readonly high: number
}

/** What a regression needs to know beyond the rows. */
export interface RegressionOptions {
  readonly target: DesignTarget
  readonly features: readonly DesignFeature[]
  readonly mechanism: RegressionMechanism
  readonly minimumContributors: number
  /** One row per contributor, values by key. */
  readonly rows: readonly { readonly [key: string]: unknown }[]
  readonly random: RandomBytes
}

/** Simulated worlds behind each interval. */
const REPLICATES = 999

/**
 * Fits a linear model with differential privacy. See the package's README for the method.
 *
 * @param options - Model, mechanism, rows, randomness.
 * @returns Intercept and coefficients.
 * @throws ComputeError `SINGULAR` when features are collinear whatever the data; `TOO_FEW_CONTRIBUTORS` when
 *   the *released* number of rows lies below the pools' minimum.
 */
export function fitLinearRegression(options: RegressionOptions): Coefficient[] {
  const { features, target, mechanism } = options
  const random = buffered(options.random)
  const design = publicDesign(features)
  if (design === null) throw collinear()
  const pool = predrawn(random)
  for (const stage of mechanism.stages) pool.reserve(stageNoise(mechanism, stage), stage.coordinates)

  const release = (
    stage: RegressionStage | undefined,
    rows: readonly WeightedRow[],
    vector: (row: WeightedRow) => readonly number[],
  ): number[] => {
    if (stage === undefined) {
      throw new ComputeError('PLAN_INVALID', 'mechanism', 'The plan lacks a stage. Plan the job again.')
    }
    return noisySum({
      count: rows.length,
      vector: (index) => vectorAt(rows, index, vector),
      coordinates: stage.coordinates,
      clip: stage.clip,
      noise: stageNoise(mechanism, stage),
      pool,
    })
  }
  const [spread, moments, products] = mechanism.stages
  const placed = designRows(options, design)
  const change = conditioner(mechanism, release(spread, weighted(placed, mechanism), spreadOf))
  const rows = weighted(conditioned(placed, change), mechanism)
  const estimated = estimate(mechanism, {
    moments: () => release(moments, rows, momentsOf(mechanism)),
    products: () => release(products, rows, productsOf),
    correction: (stage, coefficients) => release(stage, rows, correctionOf(mechanism, stage, coefficients)),
  })
  const forms = design.forms.map((form) => times(change, form))
  if (estimated.count < options.minimumContributors) {
    throw new ComputeError(
      'TOO_FEW_CONTRIBUTORS',
      'rows',
      `Fewer than ${options.minimumContributors} contributors have all the columns of this model. Use fewer columns or wait for more contributions.`,
    )
  }
  const halfWidths = simulatedHalfWidths({
    estimated,
    mechanism,
    forms,
    confidence: 0.95,
    replicates: REPLICATES,
    random,
  })
  const { middle, half } = targetScale(target)
  return forms.map((form, index) => {
    const value = half * dot(form, estimated.coefficients) + (index === 0 ? middle : 0)
    const width = half * (halfWidths[index] ?? 0)
    return {
      name: index === 0 ? 'intercept' : (features[index - 1]?.name ?? ''),
      value,
      low: value - width,
      high: value + width,
    }
  })
}

/**
 * The exact integer sums that each stage would release before noise, for given public choices. For tests of
 * sensitivity on neighbouring data; private, so it is not exported from the package.
 *
 * @param options - As {@link fitLinearRegression}.
 * @param chosen - What earlier stages settle: the change of coordinates and the current coefficients.
 * @returns One list of integers per stage.
 */
export function exactStatistics(
  options: Omit<RegressionOptions, 'random' | 'minimumContributors'>,
  chosen: { readonly change: Matrix; readonly coefficients: readonly number[] },
): bigint[][] {
  const { features, mechanism } = options
  const design = publicDesign(features)
  if (design === null) throw collinear()
  const placed = designRows(options, design)
  const first = weighted(placed, mechanism)
  const later = weighted(conditioned(placed, chosen.change), mechanism)
  const vectors = [spreadOf, momentsOf(mechanism), productsOf]
  return mechanism.stages.map((stage, index) => {
    const rows = index === 0 ? first : later
    const vector = vectors[index] ?? correctionOf(mechanism, stage, chosen.coefficients)
    return exactSum({
      count: rows.length,
      vector: (at) => vectorAt(rows, at, vector),
      coordinates: stage.coordinates,
      clip: stage.clip,
    })
  })
}

/** A row in some coordinates; `weight` brings its squared length down to the clip. */
type WeightedRow = DesignRow & { readonly weight: number }

function designRows(
  { rows, features, target }: Pick<RegressionOptions, 'rows' | 'features' | 'target'>,
  design: PublicDesign,
): DesignRow[] {
  return rows.flatMap((row) => designRow({ row, features, target, design }) ?? [])
}

function conditioned(rows: readonly DesignRow[], change: Matrix): DesignRow[] {
  return rows.map(({ u, t }) => ({ u: times(change, u), t }))
}

/**
 * Long rows count less instead of being bent: multiplying a row and its target by one number keeps the model
 * true for it, so this is weighted least squares with weights that depend on features only.
 */
function weighted(rows: readonly DesignRow[], { rowClipSquared }: RegressionMechanism): WeightedRow[] {
  return rows.map((row) => ({ ...row, weight: Math.min(1, rowClipSquared / dot(row.u, row.u)) }))
}

function spreadOf({ u, weight }: WeightedRow): number[] {
  return momentVector(u, weight)
}

function momentsOf({ rowClipSquared }: RegressionMechanism) {
  return ({ u, weight }: WeightedRow): number[] => [
    ...momentVector(u, weight),
    COUNT_WEIGHT * rowClipSquared * weight,
  ]
}

function productsOf({ u, t, weight }: WeightedRow): number[] {
  return u.map((value) => weight * value * t)
}

function correctionOf(
  mechanism: RegressionMechanism,
  stage: RegressionStage,
  coefficients: readonly number[],
) {
  const rowClip = Math.sqrt(mechanism.rowClipSquared)
  return ({ u, t, weight }: WeightedRow): number[] =>
    correctionVector({
      u,
      weight,
      residual: t - dot(u, coefficients),
      clip: stage.residualClip ?? 1,
      rowClip,
    })
}

function vectorAt(
  rows: readonly WeightedRow[],
  index: number,
  vector: (row: WeightedRow) => readonly number[],
): readonly number[] {
  const row = rows[index]
  return row === undefined ? [] : vector(row)
}

/** Error for features that no data set could tell apart. */
export function collinear(): ComputeError {
  return new ComputeError(
    'SINGULAR',
    'compute.parameters.features',
    'The features are collinear whatever the data, for example an indicator for every category beside the intercept. Remove one.',
  )
}
