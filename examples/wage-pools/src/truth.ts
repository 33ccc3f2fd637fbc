import type { SurveyRecord } from './workers.js'

/** A record with its codes set right, as the refiners do it. */
export interface TrueRecord {
  readonly wage: number
  readonly unionMember: boolean
  readonly sector: string
  readonly gender: string
  readonly education: number
  readonly experience: number
  readonly married: boolean
}

/** What the demo, which holds all the data, compares the private answers with. */
export function trueRecord(record: SurveyRecord): TrueRecord {
  return {
    wage: record.wage,
    // The package says 1 is a member; the data say otherwise: see `checkCodes`.
    unionMember: record.union === 0,
    sector: record.sector,
    gender: record.gender,
    education: record.education,
    experience: record.experience,
    married: record.married === 0,
  }
}

/**
 * The data check that would have caught the package's documentation: three of its statements against what is publicly
 * known of the United States in 1985. Union membership among employed wage and salary workers was 18.0 % (Bureau of
 * Labor Statistics), most adults were married, and nobody's log hourly wage is 44.
 *
 * @returns a line per statement that the data contradict
 */
export function checkCodes(records: readonly SurveyRecord[]): string[] {
  const share = (count: number) => count / records.length
  const unionOnes = share(records.filter(({ union }) => union === 1).length)
  const marriedOnes = share(records.filter(({ married }) => married === 1).length)
  const highest = Math.max(...records.map(({ wage }) => wage))
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`
  const found: string[] = []
  if (unionOnes > 0.5) {
    found.push(
      `union: documented as 1 = member, but ${percent(unionOnes)} carry a 1 where 18 % were members in 1985; 0 = member (${records.filter(({ union }) => union === 0).length} of ${records.length})`,
    )
  }
  if (marriedOnes < 0.5) {
    found.push(
      `married: documented as 1 = married, but only ${percent(marriedOnes)} carry a 1; 0 = married (${records.filter(({ married }) => married === 0).length} of ${records.length})`,
    )
  }
  if (highest > 10) {
    found.push(`wage: documented as a logarithm, but the highest is ${highest}; it is dollars per hour`)
  }
  return found
}

/** The mean of the wage by two keys, for the groups that have anybody. */
export function meanWageBy(
  records: readonly TrueRecord[],
  key: (record: TrueRecord) => string,
): ReadonlyMap<string, { readonly mean: number; readonly count: number }> {
  const sums = new Map<string, { sum: number; count: number }>()
  for (const record of records) {
    const group = sums.get(key(record)) ?? { sum: 0, count: 0 }
    group.sum += record.wage
    group.count += 1
    sums.set(key(record), group)
  }
  return new Map([...sums].map(([group, { sum, count }]) => [group, { mean: sum / count, count }]))
}
