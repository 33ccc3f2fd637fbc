import type { ReceiptBundleAnswer } from '@sealpool/client'
import type { JobManifest } from '@sealpool/compute'
import { parseSignedStatement } from '@sealpool/crypto'
import { type JobRequest, wageByUnionAndSector } from '../jobs.js'
import type { Worker } from '../workers.js'
import type { Consumer } from './consumer.js'

/** Something that the node would not do, with the receipt of its refusal. */
export interface Refusal {
  readonly key: string
  readonly asked: string
  readonly code: string
  readonly message: string
  readonly bundle: ReceiptBundleAnswer
  readonly manifest: JobManifest
}

/** Asks for four things that must be refused. */
export async function askForbidden(options: {
  readonly consumer: Consumer
  readonly workers: readonly Worker[]
}): Promise<Refusal[]> {
  const { consumer } = options
  const victim = options.workers[0]?.account.address.toLowerCase() ?? ''
  const refusals: Refusal[] = []

  const unapproved = {
    ...wageByUnionAndSector,
    key: 'unapproved',
    title: 'The same once more, without a vote',
  }
  const proposed = await consumer.propose(unapproved)
  await consumer.api.runJob(proposed.id.toString())
  refusals.push(
    refusalOf(
      'unapproved',
      'to run a job that no vote approved',
      await consumer.api.jobReceipt(proposed.id.toString()),
      proposed.manifest,
    ),
  )

  for (const [key, asked, sql] of [
    [
      'one-wallet',
      'the wage of one named wallet',
      `SELECT avg(wage) AS wage FROM pay.workers WHERE contributor = '${victim}'`,
    ],
    ['select-star', 'select *', 'SELECT * FROM pay.workers'],
  ] as const) {
    const request: JobRequest = { ...wageByUnionAndSector, key, title: asked, query: sql }
    const manifest = consumer.manifest(request)
    const answer = await consumer.api.plan(JSON.parse(JSON.stringify(manifest)))
    if (answer.ok) throw new Error(`the node would plan what it must refuse: ${asked}`)
    refusals.push(refusalOf(key, asked, answer, manifest))
  }

  // Voted for and paid, and still refused: the pool's lifetime budget is spent. The money comes back.
  const late: JobRequest = { ...wageByUnionAndSector, key: 'past-budget', title: 'One query too many' }
  const { id, manifest } = await consumer.propose(late)
  await consumer.letMembersVote(late, id)
  await consumer.fund(id)
  const finished = await consumer.collect(late, id, manifest)
  refusals.push(
    refusalOf('past-budget', 'a query past the budget, voted for and paid', finished.bundle, manifest),
  )
  return refusals
}

function refusalOf(key: string, asked: string, bundle: ReceiptBundleAnswer, manifest: JobManifest): Refusal {
  const { refusal } = parseSignedStatement(bundle.receipt).statement.body as {
    refusal?: { code: string; message: string } | null
  }
  if (!refusal) throw new Error(`the node did not refuse: ${asked}`)
  return { key, asked, code: refusal.code, message: refusal.message, bundle, manifest }
}
