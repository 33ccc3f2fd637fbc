import { receiptOf } from '../job-receipt.js'
import type { Progress } from '../progress.js'
import type { FinishedJob } from '../stage/consumer.js'
import type { ReportData } from './report-data.js'
import { formatNumber } from './svg.js'

/** Prints the answers of the three jobs as tables, the truth beside them. */
export function printAnswers(progress: Progress, data: ReportData, jobs: readonly FinishedJob[]): void {
  for (const job of jobs.filter(({ result }) => result === undefined)) {
    const { refusal } = receiptOf(job)
    progress.say(
      `job ${job.request.key} gave no result: ${refusal?.code ?? job.state}, ${refusal?.message ?? ''}`,
    )
  }
  for (const [title, means, groups] of [
    ['Mean hourly wage by union and sector', data.wageByUnionAndSector, 6],
    [
      'Mean hourly wage by gender and education, both pools joined by wallet',
      data.wageByGenderAndEducation,
      8,
    ],
  ] as const) {
    progress.say('')
    progress.say(`${title} (dollars; private, 95 % interval; the truth is known to this demo only)`)
    progress.table(
      ['group', 'who', 'mean', 'low', 'high', 'workers', 'truth'],
      means.map((mean) => [
        mean.group,
        mean.series,
        ...[mean.value, mean.low, mean.high].map((value) => formatNumber(value)),
        formatNumber(mean.count, 0),
        mean.truth === null ? '' : formatNumber(mean.truth),
      ]),
    )
    if (means.length < groups) {
      progress.say(
        `${groups - means.length} of ${groups} groups left out: their noisy count is below 10 contributors`,
      )
    }
  }
  progress.say('')
  progress.say('Wage equation, log hourly wage (private beside ordinary least squares on the same data)')
  progress.table(
    ['coefficient', 'private', 'low', 'high', 'non-private', 'low', 'high'],
    data.coefficients.map(({ name, private: own, nonPrivate }) => [
      name,
      ...[own, nonPrivate].flatMap(({ value, low, high }) =>
        [value, low, high].map((figure) => formatNumber(figure, 4)),
      ),
    ]),
  )
}
