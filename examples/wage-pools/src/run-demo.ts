import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileBlobStore } from '@sealpool/client/file-store'
import type { DemoArguments } from './arguments.js'
import { wageByGenderAndEducation, wageByUnionAndSector, wageEquation } from './jobs.js'
import type { Progress } from './progress.js'
import { reportData } from './report/build-report.js'
import { reportPage } from './report/page.js'
import { printAnswers } from './report/print-answers.js'
import { formatNumber } from './report/svg.js'
import { shellLine } from './shell-line.js'
import { createConsumer, type FinishedJob } from './stage/consumer.js'
import { contributeAll } from './stage/contribute.js'
import { foundPools } from './stage/found-pools.js'
import { awaitIngest } from './stage/ingest.js'
import { readPayments } from './stage/payments.js'
import { askForbidden } from './stage/refusals.js'
import { type DemoNode, launchNode, registerDemoNode } from './stage/start-node.js'
import { flipBits, verifyCommand, verifyFolder, writeBundle } from './stage/verify.js'
import { summaryOf } from './summary.js'
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
  if (options.databaseUrl !== undefined) progress.say('the node keeps its state on a PostgreSQL server')
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
        const launched = launchNode({ founded, out, blobs, databaseUrl: options.databaseUrl })
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
    const ingested = await progress.stage('The node opens, judges, rewards and refines what is left', () =>
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
    // The contracts that the verifier means: a receipt of another chain is none.
    const deploymentFile = join(out, 'deployment.json')
    const { chainId, nodeRegistry } = founded.deployment
    writeFileSync(deploymentFile, `${JSON.stringify({ chainId, nodeRegistry }, null, 2)}\n`)
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
        deployment: { chainId, registry: nodeRegistry },
        trust: founded.attestation,
        at: new Date(),
        perFile: 25,
      })
      progress.say(
        `flipped one bit ${tamper.flipped} times over the files of receipt job-a: ${tamper.detected} detected`,
      )
      return { answers, tamper }

      function check(folder: string): boolean {
        const { ok, output } = verifyFolder({ folder, policyFile, deploymentFile })
        progress.say(`${ok ? 'ok    ' : 'NOT OK'}  ${folder}`)
        if (!ok) progress.say(output)
        return ok
      }
    })

    const inPay = workers.filter(({ account }) =>
      ingested.acceptedOwners.pay.has(account.address.toLowerCase()),
    )
    const commands = [
      ['receipt', folderOf('job-a'), '--deployment', deploymentFile],
      ['receipt', folderOf('refused-select-star'), '--deployment', deploymentFile],
      ['evidence', join(folderOf('job-a'), 'evidence.json'), '--json'],
    ].map((words) => shellLine(['node', verifyCommand, ...words, '--policy', policyFile]))
    await progress.stage('Tables, report, and how to go on', async () => {
      const data = reportData({
        workers: workers.length,
        contributed: contributed.count,
        ingested,
        payments,
        finished,
        refusals,
        verified,
        inPay: inPay.map(({ record }) => trueRecord(record)),
        inBoth: inBoth.map(({ record }) => trueRecord(record)),
        timeline: progress.timeline,
        stages: progress.stages,
        commands,
      })
      writeFileSync(join(out, 'report.html'), reportPage(data))
      printAnswers(progress, data, finished)
      progress.say('')
      progress.say(`report   ${join(out, 'report.html')}`)
      for (const command of commands) progress.say(`verify   ${command}`)
      progress.say(
        `explore  ${join(out, 'receipts')} (a folder for each receipt), ${join(out, 'node.log')}, ${join(out, 'node-config.json')}`,
      )
      progress.say(
        `SIMULATED hardware; isolation of ${data.isolation}${data.isolation.includes('bubblewrap') ? '' : ' (Debian’s bubblewrap makes it stronger)'}`,
      )
    })
    if (options.json !== undefined) {
      const summary = summaryOf({
        contributed: contributed.count,
        workers: workers.length,
        ingested,
        payments,
        finished,
        refusals,
        verified,
        stages: progress.stages,
      })
      writeFileSync(options.json, `${JSON.stringify(summary, null, 2)}\n`)
    }
    const allVerified = [...verified.answers.values()].every((ok) => ok)
    if (!allVerified || verified.tamper.detected !== verified.tamper.flipped) {
      throw new Error('not every receipt verified; see above')
    }
  }
}
