// The node end to end: how the cost of a contribution grows, and what jobs and receipts take.
import { demoRuns } from './measure/demo-runs.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const ingestStages = [
  'Every worker verifies the node, seals, stores, contributes',
  'The node opens, judges, rewards and refines what is left',
]
const jobsStage = 'An analyst proposes jobs, members vote, the node runs them'

export async function run({ print }) {
  printMachine(print)
  const runs = demoRuns([60, 240]).map(({ workers, contributions, jobs, seconds }) => ({
    workers,
    contributions,
    each: ingestStages.reduce((sum, name) => sum + seconds[name], 0) / contributions,
    job: seconds[jobsStage] / jobs.length,
  }))
  const [smallest] = runs
  printTable(print, {
    title:
      'From sealing to refined rows and rewards (stages 3 and 4 of the demo), and a job from proposal to settlement',
    columns: ['', 'contributions/s', 'ms each', 'cost / smallest run', 's per job'],
    rows: runs.map(({ workers, contributions, each, job }) => [
      `${workers} workers, ${contributions} contributions`,
      figure(1 / each),
      figure(each * 1000),
      ratio(each, smallest.each),
      figure(job),
    ]),
    notes: [
      'Client, chain and node share the machine and are all in these times; the hardware is SIMULATED.',
      'The smaller run carries the same fixed costs (bundling, first batches) on fewer contributions.',
    ],
  })
}
