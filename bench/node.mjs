// The node as a whole, against what it is to reach: the real program on a real local chain, everything on this machine.
import { compare, median } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'
import { manyEntries } from './node/catalogue.mjs'
import { group } from './node/group.mjs'
import { ingest } from './node/ingest.mjs'
import { manyProposals } from './node/proposals.mjs'
import { jobs, plans } from './node/queries.mjs'
import { openStage } from './node/stage.mjs'
import { starts } from './node/start.mjs'
import { stateMemory } from './node/state-memory.mjs'
import { run as sandbox } from './sandbox.mjs'

const sizes = {
  short: { contributions: 400, starts: 3, rounds: 2, jobs: 10, group: 50, state: 400 },
  long: { contributions: 20_000, starts: 10, rounds: 4, jobs: 100, group: 500, state: 20_000 },
}
/** Contributions that a stage begins with. */
const first = 8

const percentile = (times, share) => [...times].sort((a, b) => a - b)[Math.ceil(times.length * share) - 1]

export async function run({ print, long = false }) {
  printMachine(print)
  print(
    long
      ? 'The long form: 20,000 contributions, 100 jobs.'
      : 'The short form, scaled down: 400 contributions for the 1,000 and 20,000 of the goals, 10 jobs for 100. --long takes them all.',
  )
  const size = long ? sizes.long : sizes.short
  const stage = await openStage()
  try {
    await stage.workload.contributeFirst()
    await stage.refined(first)
    await stage.workload.openJobs()
    // What a running program needs once (compiled code, the sandbox's child) is no cost of a contribution.
    const warm = 100
    for (let sent = 0; sent < warm; sent += 50) await stage.workload.contribute(50)
    await stage.refined(first + warm)
    printIngest(print, await ingest(stage, first + warm, size.contributions))
    await printQueries(print, stage, size)
    await printStarts(print, stage, size)
  } finally {
    await stage.close()
  }
  await printStateMemory(print, size.state)
  await printProposals(print)
  printCatalogue(print)
  await printGroup(print, size)
  print('')
  print('Overhead of the sandbox over the bare runtime (bench/sandbox.mjs)')
  await sandbox({ print })
}

function printIngest(print, quarters) {
  const [begin] = quarters
  const each = ({ contributions, processor }) => (processor / contributions) * 1000
  printTable(print, {
    title: 'Contributions, from sealing to refined rows and rewards, a quarter after another',
    columns: ['', 'contributions/s', 'ms of the node’s processors each', 'each / first quarter', 'MB'],
    rows: quarters.map((quarter, index) => [
      `quarter ${index + 1}: ${quarter.contributions} contributions`,
      figure(quarter.contributions / quarter.seconds),
      figure(each(quarter)),
      ratio(each(quarter), each(begin)),
      figure(quarter.megabytes),
    ]),
    notes: [
      'Goal: the cost of a contribution does not grow by more than 10 %; memory flat. Processor time includes every child.',
      'Client, chain and node share the machine and are all in contributions/s; the hardware is SIMULATED.',
    ],
  })
}

async function printQueries(print, stage, size) {
  const ids = stage.workload.paid
  const { manifest } = await stage.ask(`/v1/proposals/${ids.at(-1)}`)
  const planned = await plans(stage, manifest, { atOnce: 100, rounds: size.rounds })
  const settled = await jobs(stage, size.jobs)
  printTable(print, {
    title: 'Queries at once',
    columns: ['', 'p50', 'p99', 'per second'],
    rows: [
      [
        `100 plans at once, ${size.rounds} times`,
        `${figure(percentile(planned, 0.5))} ms`,
        `${figure(percentile(planned, 0.99))} ms`,
        figure((100 * 1000) / percentile(planned, 1)),
      ],
      [
        `${size.jobs} paid jobs that waited for the node, until settled`,
        `${figure(percentile(settled, 0.5))} s`,
        `${figure(percentile(settled, 0.99))} s`,
        figure(size.jobs / percentile(settled, 1)),
      ],
    ],
    notes: [
      'Two jobs run at a time (engine.jobsAtOnce): each begins a query engine in a process of its own.',
    ],
  })
}

async function printStarts(print, stage, size) {
  const { ordered, killed } = await starts(stage, size.starts)
  const row = (name, goal, runs) => [
    name,
    figure(median(runs.map(({ seconds }) => seconds))),
    figure(Math.max(...runs.map(({ seconds }) => seconds))),
    figure(median(runs.map(({ processor }) => processor))),
    goal,
  ]
  printTable(print, {
    title: 'Starts, in seconds until ready',
    columns: ['', 'median', 'slowest', 'processor time', 'goal'],
    rows: [
      [
        'the first, which makes the databases, until it listens',
        figure(stage.firstListens),
        null,
        null,
        null,
      ],
      row(`after a stop in good order, ${ordered.length} times`, 'under 3', ordered),
      row(`after kill -9 under work, ${killed.length} times`, 'under 5', killed),
    ],
  })
}

async function printStateMemory(print, count) {
  const measured = await stateMemory(count, 4)
  const [first] = measured
  const last = measured.at(-1)
  const each = (last.after - first.after) / (last.contributions - first.contributions)
  printTable(print, {
    title: 'The state alone, filled with what a node writes for contributions: MB of a process',
    columns: [
      'contributions',
      'as it stands',
      'after a collection',
      'V8 heap',
      'buffers',
      'PGlite’s heaps',
      'files in memory and outside',
      'rows',
      'indexes',
    ],
    rows: measured.map(({ contributions, before, after, heap, buffers, programs, files, rows, indexes }) => [
      String(contributions),
      ...[before, after, heap, buffers, programs, files, rows, indexes].map(figure),
    ]),
    notes: [
      `After a collection ${figure(each * 1000)} kB more for each contribution, the buffers of both databases filling included.`,
      'Files: of the database in memory. What is beyond 48 MB of them lies sealed in a scratch file.',
    ],
  })
}

async function printProposals(print) {
  const count = 10_000
  const store = await manyProposals(count)
  try {
    const { search } = await compare({ search: store.search })
    printTable(print, {
      title: 'Search in the catalogue of open proposals',
      columns: ['', 'ms', 'goal'],
      rows: [[`a page of one pool’s, of ${count}`, figure(search * 1000), 'under 50']],
    })
  } finally {
    await store.close()
  }
}

function printCatalogue(print) {
  const [count, searches, likenesses] = [10_000, 1_000, 200]
  const { filled, megabytes, times, found, alike } = manyEntries(count, searches, likenesses)
  if (found < searches / 2) throw new Error(`only ${found} of ${searches} searches found something`)
  if (alike.found < likenesses)
    throw new Error(`only ${alike.found} of ${likenesses} entries had 20 that are like them`)
  const goals = { search: 50, alike: 100 }
  const slow = percentile(times, 0.99) > goals.search || percentile(alike.times, 0.99) > goals.alike
  if (slow) process.exitCode = 1
  printTable(print, {
    title: 'Search in the catalogue of pools',
    columns: ['', 'p50 ms of the processor', 'p99', 'goal p99'],
    rows: [
      [
        `a page of ${count} entries, one to three words`,
        figure(percentile(times, 0.5)),
        figure(percentile(times, 0.99)),
        `under ${goals.search}`,
      ],
      [
        `the 20 of ${count} that are most like one`,
        figure(percentile(alike.times, 0.5)),
        figure(percentile(alike.times, 0.99)),
        `under ${goals.alike}`,
      ],
    ],
    notes: [
      `Filled in ${figure(filled)} s, once: what a node signs anew with the same words is only put in its place. ${figure(megabytes)} MB with the entries.`,
    ],
  })
}

async function printGroup(print, size) {
  const measured = await group(size.group)
  if (measured === undefined) {
    print('\nThe group is not measured: PostgreSQL is not installed (apt-get install postgresql)')
    return
  }
  const [one] = measured.sizes
  printTable(print, {
    title: 'A group on one PostgreSQL server',
    columns: ['nodes', 'contributions/s', 'against one'],
    rows: measured.sizes.map(({ size: nodes, seconds }) => [
      String(nodes),
      figure(size.group / seconds),
      ratio(one.seconds, seconds),
    ]),
    notes: [
      'One node leads and works, the others stand by: more nodes make the group live on, not faster.',
      `The leader killed with -9: the next one listens after ${figure(measured.takeover)} s.`,
    ],
  })
}
