/** A figure with its 95 % interval. */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** One released mean, with the truth beside it that only the demo, which holds the data, can know. */
export interface ReleasedMean extends Interval {
  readonly group: string
  readonly series: string
  readonly count: number
  readonly truth: number | null
}

export interface Coefficient {
  readonly name: string
  readonly unit: string
  readonly private: Interval
  readonly nonPrivate: Interval
}

export interface PoolBudget {
  readonly pool: string
  readonly epsilonTotal: number
  readonly deltaTotal: number
  readonly charges: readonly { readonly job: string; readonly epsilon: number }[]
}

export interface TimelineEntry {
  readonly lane: string
  readonly label: string
  /** Seconds since the demo began. */
  readonly start: number
  readonly end: number
}

export interface JobRow {
  readonly id: string
  readonly title: string
  readonly kind: string
  readonly pools: readonly string[]
  readonly epsilon: string
  readonly receiptFile: string
  readonly verified: boolean
}

export interface RefusalRow {
  readonly asked: string
  readonly code: string
  readonly message: string
  readonly receiptFile: string
  readonly verified: boolean
}

/** Everything the report shows. Plain data: the page is a function of it. */
export interface ReportData {
  readonly workers: number
  readonly contributions: number
  readonly accepted: number
  readonly refused: Readonly<Record<string, number>>
  /** Pool tokens earned by accepted contributions. */
  readonly rewards: { readonly pay: number; readonly people: number }
  readonly payments: {
    readonly protocolTokensBurned: number
    readonly poolTokensBurned: { readonly pay: number; readonly people: number }
    readonly setAside: { readonly pay: number; readonly people: number }
  }
  readonly isolation: string
  readonly wageByUnionAndSector: readonly ReleasedMean[]
  readonly wageByGenderAndEducation: readonly ReleasedMean[]
  readonly coefficients: readonly Coefficient[]
  readonly budgets: readonly PoolBudget[]
  readonly timeline: readonly TimelineEntry[]
  readonly jobs: readonly JobRow[]
  readonly refusals: readonly RefusalRow[]
  readonly tamper: { readonly flipped: number; readonly detected: number }
  readonly stages: readonly { readonly name: string; readonly seconds: number }[]
  readonly commands: readonly string[]
  readonly notes: readonly string[]
}
