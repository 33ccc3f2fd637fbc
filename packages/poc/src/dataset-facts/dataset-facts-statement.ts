import { type Address, parseDigest, type SignedStatement, signStatement } from '@sealpool/crypto'
import * as z from 'zod'
import { invalid, normal, readStatement, same, signerOf } from '../verdict/statement-form.js'
import type { VerdictContext } from '../verdict/verdict-statement.js'
import { type DatasetFacts, datasetFactsBody } from './dataset-facts.js'

/** Type of the signed statement. */
const STATEMENT = { type: 'sealpool/dataset-facts', version: 1 } as const

/** What a reader of facts knows of them beforehand. */
export interface ExpectedDatasetFacts {
  readonly context: VerdictContext
  readonly pool: Address
  /** Whose word counts: the statement keys of the pool's nodes. */
  readonly validators: readonly Address[]
}

/** Facts that were read from a signed statement. */
export interface VerifiedDatasetFacts {
  readonly facts: DatasetFacts
  readonly signer: Address
}

/**
 * Signs facts of a dataset, so that whoever reads a catalogue can hold the owner's words against them.
 *
 * @param options `facts`; `pool`; where they count (`context.commitment` is the dataset's); the enclave's key
 * @returns a signed `sealpool/dataset-facts` statement; its one contract fact is the number of rows
 */
export function signDatasetFacts(options: {
  readonly facts: DatasetFacts
  readonly pool: Address
  readonly context: VerdictContext
  readonly privateKey: Uint8Array
}): SignedStatement {
  const { facts, pool, context, privateKey } = options
  return signStatement({
    ...unsigned(facts, pool, context),
    privateKey,
  })
}

function unsigned(
  facts: DatasetFacts,
  pool: Address,
  context: VerdictContext,
): Pick<SignedStatement, 'statement' | 'context'> {
  return {
    statement: {
      ...STATEMENT,
      body: { commitment: parseDigest(context.commitment), facts: datasetFactsBody(facts) },
    },
    context: {
      chainId: context.chainId,
      registry: context.registry,
      pool,
      subject: context.subject,
      nonce: context.nonce ?? '0',
      facts: [{ type: 'uint256', value: String(facts.rows) }],
    },
  }
}

// Made on first use: whoever imports this package for `definePoc` alone does not pull it into a bundle.
function makeSchema() {
  const count = z.int().nonnegative()
  const text = z.string().max(10_000)
  return z.strictObject({
    rows: count,
    columns: z
      .array(
        z.strictObject({
          name: text,
          kind: z.enum(['integer', 'number', 'date', 'boolean', 'text', 'mixed', 'empty']),
          nullRate: z.number().min(0).max(1),
          distinct: count,
        }),
      )
      .max(4096),
    span: z.strictObject({ first: text, last: text }).nullable(),
    keywords: z.array(z.strictObject({ word: text, people: count })).max(100_000),
    noise: z.strictObject({ epsilon: z.number().positive() }).nullable(),
  })
}

let schema: ReturnType<typeof makeSchema> | undefined

/**
 * Reads and verifies signed facts of a dataset offline. Pool, place and commitment are the reader's.
 *
 * @param hostile what came, of any form and depth
 * @param expected what the reader knows: what it is about, where it counts, and whose word does
 * @returns the facts and who signed them
 * @throws PocError `STATEMENT_INVALID` naming what does not hold
 */
export function verifyDatasetFacts(hostile: unknown, expected: ExpectedDatasetFacts): VerifiedDatasetFacts {
  const signed = readStatement(hostile)
  const { body, type, version } = signed.statement
  if (type !== STATEMENT.type || version !== STATEMENT.version) throw invalid('statement.type')
  schema ??= makeSchema()
  const parsed = schema.safeParse(body['facts'])
  if (!parsed.success) throw invalid(['facts', ...(parsed.error.issues[0]?.path ?? [])].join('.'))
  const own = unsigned(parsed.data, expected.pool, expected.context)
  if (!same(body, own.statement.body)) throw invalid('statement.body')
  if (!same(normal(signed.context), normal(own.context))) throw invalid('context')
  return { facts: parsed.data, signer: signerOf(signed, expected.validators) }
}
