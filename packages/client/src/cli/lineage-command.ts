import { parseAttestationPolicy, type ReceiptBody } from '@sealpool/attest'
import { openLineageEvents, type Provenance, provDocument, walkBack } from '@sealpool/attest/provenance'
import { type Address, digestOf, type JsonObject, type JsonValue, sha256Digest } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { readLineage } from '../lineage/index.js'
import type { JobReceiptVerdict } from '../result/verify-job-receipt.js'
import { wholeNumber } from './arguments.js'
import type { Command, CommandAnswer } from './command.js'
import { table } from './io.js'
import { intoNewFile } from './new-file.js'
import { receiptText } from './receipt-text.js'
import { readAs, readBytes } from './settings.js'

/** Checks of a receipt that ask for the result itself: without it the walk begins at the digest that the receipt names. */
const ofResult: readonly string[] = ['result', 'sealed-result']

const files = {
  prov: { value: 'FILE', help: 'a new file for the whole chain as PROV-O (JSON-LD)' },
  openlineage: { value: 'FILE', help: 'a new file for the whole chain as OpenLineage events' },
  records: { value: 'FILE', help: 'a new file for the receipt and its records, to walk again' },
} as const

/** Walks from a job's result back to contributions. */
export const lineageCommand: Command = {
  name: 'lineage',
  summary: 'walk from a job’s result back to the contributions, link by link',
  example: 'sealpool lineage 4 --result result.json --prov lineage.jsonld',
  positionals: ['job'],
  options: {
    result: { value: 'FILE', help: 'the opened result; default: the one that the receipt names' },
    trust: { value: 'FILE', help: 'attestation rules; default: those of the policy that you gave' },
    ...files,
  },
  details:
    'The receipt is verified first. Other nodes that it names ran the job, or homes of its pools, count by the word of the node that signed it. A chain with gaps is written to no file but --records.',
  needs: 'read',
  async run({ given, opened }) {
    const { client, chain, deployment, policy } = opened()
    const jobId = wholeNumber(given.positionals[0], '<job>')
    const trustFile = given.get('trust')
    const trust =
      trustFile === undefined
        ? parseAttestationPolicy(policy['attestation'])
        : await readAs('--trust', trustFile, parseAttestationPolicy)
    const path = given.get('result')
    const result = path === undefined ? undefined : await readBytes(path, '--result')
    const verdict = await client.verifyReceipt(jobId, { trust, ...(result === undefined ? {} : { result }) })
    const { body, evidence } = verdict
    const isOpen = ({ id, result: checked }: JobReceiptVerdict['checks'][number]) =>
      checked !== 'pass' && !(result === undefined && checked === 'not-checked' && ofResult.includes(id))
    if (body === null || evidence === null || verdict.checks.some(isOpen)) return unverified(verdict)
    const digest = result === undefined ? body.result?.digest : sha256Digest(result)
    if (digest === undefined)
      throw new ClientError('RESULT_MISSING', '<job>', 'the job was refused: it has no result')

    const { receipt, records } = await readLineage({ node: client.node, chain, jobId })
    requireSame(body, receipt)
    const signers = [evidence.keySet.statement.address, ...namedBy(body)]
    const { chainId, nodeRegistry: registry } = deployment
    const found = walkBack({
      ...records,
      receipt,
      result: digest,
      signers,
      deployment: { chainId, registry },
    })
    await write(given.get('records'), '--records', { receipt, records })
    await write(given.get('prov'), '--prov', provDocument(found))
    await write(given.get('openlineage'), '--openlineage', openLineageEvents(found))
    return answer(found, digest, signers)
  },
}

/** Nodes whose word the receipt names. */
function namedBy({ handOff, shards = [], homes = [] }: ReceiptBody): readonly Address[] {
  return [...(handOff === undefined ? [] : [handOff]), ...shards, ...homes].map(({ node }) => node)
}

/** A node that gave two receipts for one job has had another one verified than the one that is walked along. */
function requireSame(body: ReceiptBody, receipt: JsonObject): void {
  const { statement } = receipt as { statement?: { body?: JsonValue } }
  if (statement?.body !== undefined && digestOf(statement.body) === digestOf(body as unknown as JsonValue))
    return
  throw new ClientError('NODE_ANSWER_INVALID', 'GET /jobs/receipt', 'the node gave two receipts for one job')
}

function unverified(verdict: JobReceiptVerdict): CommandAnswer {
  const { state, simulated, checks } = verdict
  return {
    json: { complete: false, receipt: state, simulated, checks },
    text: receiptText(verdict),
    exitCode: 1,
  }
}

async function write(path: string | undefined, place: string, value: unknown): Promise<void> {
  if (path === undefined || value === undefined) return
  await intoNewFile(path, place, async () => ({ content: `${JSON.stringify(value, undefined, 2)}\n` }))
}

function answer(found: Provenance, result: string, signers: readonly Address[]): CommandAnswer {
  const { complete, gaps, inputs, steps, simulated } = found
  const pools = new Map<string, number>()
  for (const { pool } of inputs) pools.set(pool, (pools.get(pool) ?? 0) + 1)
  const rows = [
    ['result', result],
    ...[...pools].map(([pool, count]) => ['contributions', `${count} of ${pool}`]),
    ['refinements', `${steps.filter(({ kind }) => kind === 'refinement').length}`],
    ...signers.map((signer) => ['by the word of', signer]),
    ...gaps.map(({ code, place }) => ['gap', `${code} at ${place}`]),
  ]
  const end = complete ? 'COMPLETE: every link was there and held' : `NOT COMPLETE: ${gaps.length} gaps`
  return {
    json: { complete, gaps, simulated, result, signers, inputs },
    text: `${table(rows)}\n\n${end}${simulated ? ' (SIMULATED)' : ''}`,
    exitCode: complete ? 0 : 1,
  }
}
