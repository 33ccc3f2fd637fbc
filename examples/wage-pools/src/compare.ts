import { ordinaryLeastSquares } from '@sealpool/compute'
import type { JsonValue } from '@sealpool/crypto'
import type { Coefficient, ReleasedMean } from './report/report-data.js'
import { meanWageBy, type TrueRecord } from './truth.js'

interface QueryAnswer {
  readonly columns: readonly { readonly name: string }[]
  readonly rows: readonly (readonly (string | number | boolean | null)[])[]
  readonly intervals: readonly (readonly ({ readonly low: number; readonly high: number } | null)[])[]
}

/** The released means of a query with two keys, each beside the truth that only the demo can know. */
export function compareMeans(options: {
  readonly value: JsonValue
  readonly records: readonly TrueRecord[]
  /** Columns of the answer that name the group and the series. */
  readonly group: string
  readonly series: string
  readonly seriesName: (value: string) => string
  readonly trueKey: (record: TrueRecord) => string
}): ReleasedMean[] {
  const answer = options.value as unknown as QueryAnswer
  const column = (name: string) => {
    const index = answer.columns.findIndex((candidate) => candidate.name === name)
    if (index < 0) throw new Error(`the answer has no column ${name}`)
    return index
  }
  const [group, series, mean, count] = [
    column(options.group),
    column(options.series),
    column('mean_wage'),
    column('workers'),
  ]
  const truth = meanWageBy(options.records, options.trueKey)
  return answer.rows.map((row, index) => {
    const interval = answer.intervals[index]?.[mean]
    const value = Number(row[mean])
    const key = `${String(row[group])} ${String(row[series])}`
    return {
      group: String(row[group]),
      series: options.seriesName(String(row[series])),
      value,
      low: interval?.low ?? value,
      high: interval?.high ?? value,
      count: Number(row[count]),
      truth: truth.get(key)?.mean ?? null,
    }
  })
}

/** The band of education as query (b) names it. */
export function educationBand(years: number): string {
  if (years < 12) return 'under 12 years'
  if (years === 12) return '12 years'
  return years < 16 ? '13 to 15 years' : '16 years and more'
}

const units: Readonly<Record<string, readonly [string, string]>> = {
  intercept: ['intercept', 'log dollars'],
  education: ['education', 'per year'],
  experience: ['experience', 'per year'],
  experience_squared: ['experience²', 'per year²'],
  female: ['female', 'against male'],
  union_member: ['union member', 'against none'],
}

/** The private coefficients beside ordinary least squares on the same people's data. */
export function compareCoefficients(value: JsonValue, records: readonly TrueRecord[]): Coefficient[] {
  const { coefficients } = value as unknown as {
    coefficients: readonly { name: string; value: number; low: number; high: number }[]
  }
  const names = ['intercept', 'education', 'experience', 'experience_squared', 'female', 'union_member']
  const fit = ordinaryLeastSquares({
    rows: records.map((record) => [
      record.education,
      record.experience,
      record.experience ** 2,
      record.gender === 'female' ? 1 : 0,
      record.unionMember ? 1 : 0,
    ]),
    target: records.map(({ wage }) => Math.log(wage)),
  })
  return names.flatMap((name, index) => {
    const own = coefficients.find((candidate) => candidate.name === name)
    const ordinary = fit.coefficients[index]
    if (own === undefined || ordinary === undefined) return []
    const [shown, unit] = units[name] ?? [name, '']
    const reach = 1.96 * ordinary.standardError
    return [
      {
        name: shown,
        unit,
        private: { value: own.value, low: own.low, high: own.high },
        nonPrivate: { value: ordinary.value, low: ordinary.value - reach, high: ordinary.value + reach },
      },
    ]
  })
}
