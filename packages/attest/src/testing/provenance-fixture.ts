import { sha256 } from '@noble/hashes/sha2.js'
import {
  addressOf,
  bytesToDigest,
  canonicalBytes,
  digestOf,
  digestToHex,
  encodeHex,
  type JsonObject,
  merkleRoot,
  type StatementContext,
  signStatement,
  statementDigest,
} from '@sealpool/crypto'
import type { ContributionRecord, RefinementRecord, VerdictRecord } from '../provenance/records.js'
import type { WalkBackOptions } from '../provenance/walk-back.js'
import type { ReceiptBody } from '../receipt/receipt.js'
import { verdictsRoot } from '../receipt/verify.js'
import { deployment, jobParts } from './fixture.js'

const keyOf = (name: string) => sha256(new TextEncoder().encode(`provenance ${name}`))
/** Statement keys by who has them; `stranger` is nobody's. */
export const keys = {
  node: keyOf('node'),
  home: keyOf('home'),
  heavy: keyOf('heavy'),
  stranger: keyOf('stranger'),
}
/** Their addresses. */
export const addresses = {
  node: addressOf(keys.node),
  home: addressOf(keys.home),
  heavy: addressOf(keys.heavy),
  stranger: addressOf(keys.stranger),
}
/** The two pools of the job. */
export const pools = [
  '0x00000000000000000000000000000000000000aa',
  '0x00000000000000000000000000000000000000bb',
] as const

/** Signs anything that a node signs. */
export function sign(
  kind: 'receipt' | 'refinement' | 'work' | 'share',
  body: object,
  { key = keys.node, ...context }: Partial<StatementContext> & { readonly key?: Uint8Array } = {},
) {
  return signStatement({
    statement: { type: `sealpool/${kind}`, version: 1, body: body as JsonObject },
    context: {
      ...deployment,
      pool: pools[0],
      subject: `0x${'00'.repeat(31)}07`,
      nonce: '0',
      facts: [],
      ...context,
    },
    privateKey: key,
  })
}

/** Contributions with these ids. */
export function contributionsOf(pool: string, ids: readonly string[]): ContributionRecord[] {
  return ids.map((contribution) => ({
    contribution,
    blob: digestOf(`blob ${pool} ${contribution}`),
    commitment: digestOf(`commitment ${pool} ${contribution}`),
    at: '2026-11-18T08:00:00Z',
  }))
}

/** The verdict on a contribution; what the walk does not read is there too. */
export function verdictOn(pool: string, contribution: string, change: JsonObject = {}): VerdictRecord {
  const verdict = {
    ...{ contribution, pool, poc: digestOf('poc'), valid: true, score: 0.75, authenticity: 1, ownership: 1 },
    ...{ quality: 0.5, uniqueness: 1, attributes: {}, refusal: null, evidence: [] },
    ...change,
  }
  return { verdict, at: '2026-11-18T09:00:00Z' }
}

/** A refinement of contributions, signed. */
export function refinementOf(
  pool: (typeof pools)[number],
  contributions: string[],
  {
    change = {},
    counted = contributions.length,
    key = keys.node,
    ...context
  }: Partial<StatementContext> & {
    readonly change?: JsonObject
    readonly counted?: number
    readonly key?: Uint8Array
  } = {},
): RefinementRecord {
  const place = pools.indexOf(pool)
  const schema = digestOf('schema')
  const content = digestOf(`rows of ${contributions.join()}`)
  const root = encodeHex(merkleRoot(contributions.map((contribution) => canonicalBytes({ contribution }))))
  const body = {
    pool,
    policy: jobParts().body.pools[place]?.policy ?? '',
    refiner: digestOf('refiner'),
    schema,
    content,
    rows: { wages: 4 },
    contributions: { count: counted, root },
    refused: [],
    ...change,
  }
  const signed = sign('refinement', body, { pool, subject: digestToHex(schema), key, ...context })
  return { statement: signed, contributions, at: '2026-11-18T10:00:00Z' }
}

/** What a receipt names of a pool's contributions and the verdicts on them. */
export function namesOf(contributions: readonly ContributionRecord[], verdicts: readonly VerdictRecord[]) {
  const leaves = contributions.map(({ contribution, blob, commitment }) =>
    canonicalBytes({ contribution, blob, commitment }),
  )
  return {
    inputs: { count: contributions.length, root: bytesToDigest(merkleRoot(leaves)) },
    verdicts: verdictsRoot(verdicts.map(({ verdict }) => digestOf(verdict))),
  }
}

/** What another node's signed word says of the job of a receipt that `addresses.node` signs, besides what is its own. */
export function wordOn({ job, plan, keySet, quote }: ReceiptBody) {
  const about = { job: job.id, manifest: job.manifest, plan, keySet }
  return { work: { ...about, home: addresses.node }, share: { ...about, quote, coordinator: addresses.node } }
}

/** What a walk takes, with the body of its receipt before it was signed. */
export interface Chain {
  readonly options: WalkBackOptions
  readonly body: ReceiptBody
}

const ids = [
  ['2', '9', '10'],
  ['1', '2', '3'],
] as const

/**
 * A whole chain: two pools with three contributions each, two refinements of the first and one of the second (with a contribution
 * besides that is not in the job), a job that another node ran, and a share of the second pool's home.
 *
 * @param kind of the job
 * @param change of the receipt before it is signed
 */
export function chain(
  kind: 'query' | 'compute' = 'query',
  change: (body: ReceiptBody) => ReceiptBody = (body) => body,
): Chain {
  const contributions = Object.fromEntries(
    pools.map((pool, i) => [pool, contributionsOf(pool, ids[i] ?? [])]),
  )
  const verdicts = Object.fromEntries(
    pools.map((pool, i) => [pool, (ids[i] ?? []).map((contribution) => verdictOn(pool, contribution))]),
  )
  const named = jobParts(kind).body
  const { keySet, quote } = named
  const words = wordOn(named)
  const work = sign('work', { ...words.work, answer: digestOf('answer') }, { key: keys.heavy })
  const share = sign('share', { ...words.share, pools: [pools[1]] }, { key: keys.home, pool: pools[1] })
  const body = change({
    ...named,
    pools: named.pools.map((pool) => ({
      ...pool,
      ...namesOf(contributions[pool.pool] ?? [], verdicts[pool.pool] ?? []),
    })),
    handOff: { node: addresses.heavy, keySet, work: statementDigest(work.statement) },
    homes: [{ node: addresses.home, keySet, quote, share: statementDigest(share.statement) }],
  })
  const options: WalkBackOptions = {
    result: named.result?.digest ?? digestOf('none'),
    receipt: sign('receipt', body),
    contributions,
    verdicts,
    refinements: [
      refinementOf(pools[1], ['1', '2', '3', '4'], { key: keys.home }),
      refinementOf(pools[0], ['2', '10']),
      refinementOf(pools[0], ['9']),
    ],
    parents: [share, work],
    signers: [addresses.node, addresses.home, addresses.heavy],
    deployment,
  }
  return { options, body }
}
