import {
  type Address,
  CryptoError,
  type Digest,
  type JsonObject,
  parseSignedStatement,
  type SignedStatement,
  verifyStatement,
} from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { readAs, refusalAnswerSchema } from '../node-api/messages.js'
import { readAnswer } from '../node-api/read-answer.js'
import {
  type AnswerSchema,
  address,
  answerSchema,
  digest,
  flag,
  jsonObject,
  list,
  nullable,
  record,
  text,
  whole,
} from '../node-api/shape.js'
import { platformNow } from '../platform.js'

/** What a node says of a pool that it serves. */
export type CatalogueEntry = {
  /** The pool's contract. */
  readonly pool: Address
  /** Statement key of the node that serves it: it has signed the entry. */
  readonly node: Address
  /** Where that node listens, as it says itself. */
  readonly url: string
  readonly name: string
  readonly description: string
  readonly purposes: string[]
  /** Digest of the policy, which is to be read and compared with the chain before anything is sent. */
  readonly policy: Digest
  readonly epoch: number
  /** Digest of the table schema. */
  readonly schema: Digest
  readonly tables: {
    readonly name: string
    readonly description: string
    readonly columns: {
      readonly name: string
      readonly type: string
      readonly unit: string | null
      readonly description: string
    }[]
  }[]
  /** At least so many contributions are in the tables. */
  readonly contributions: number
  /** Protocol tokens, smallest unit, as the policy names it; the votes decide. */
  readonly price: string
  readonly measurement: string
  /** No hardware stands behind the node. */
  readonly simulated: boolean
  /** Chain and NodeRegistry that its node has signed it for: what it says is about the contracts there. */
  readonly chainId: number
  readonly registry: Address
  /** Unix seconds. */
  readonly expiresAt: number
}

/** One page of a catalogue. */
export interface CataloguePage {
  readonly entries: readonly CatalogueEntry[]
  /** How many there are in all. */
  readonly total: number
  /** For the next page; null when this is the last. */
  readonly next: string | null
}

/** How a node is asked for entries. */
export interface CatalogueCallOptions {
  /** Base address of a node. */
  readonly url: string
  /** Only entries for this chain and NodeRegistry are taken. Default: for any. */
  readonly deployment?: { readonly chainId: number; readonly nodeRegistry: Address }
  /** To tell entries that have expired. Default: the platform's clock. */
  readonly now?: () => Date
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch
  /** Default 30,000. */
  readonly timeoutMs?: number
}

/** How a catalogue is searched. */
export interface CatalogueOptions extends CatalogueCallOptions {
  /** Words that must all occur, at least as beginnings. */
  readonly text?: string
  /** Digest of a table schema. */
  readonly schema?: Digest
  /** `next` of the page before. */
  readonly after?: string
}

/** Which pool others are to be like. */
export interface SimilarOptions extends CatalogueCallOptions {
  readonly pool: Address
}

/** A pool that declares something in common with another one. */
export interface SimilarEntry {
  /** 1 to 1,000: thousandths of what either declares (schema, columns, words), as the node that was asked counts them. */
  readonly likeness: number
  readonly entry: CatalogueEntry
}

const maximumAnswerBytes = 32 * 1024 * 1024
/** Far more than a page has: each costs a signature's verification, and an answer of that size could hold a page up for minutes. */
const maximumEntries = 1_000
const amount = /* @__PURE__ */ text(/^\d{1,78}$/, 'a whole number as text')
const pageSchema: AnswerSchema<{ total: number; entries: JsonObject[]; next: string | null }> =
  /* @__PURE__ */ answerSchema(record({ total: whole(0), entries: list(jsonObject), next: nullable(text()) }))
const likenessSchema: AnswerSchema<{ pool: Address; similar: { likeness: number; entry: JsonObject }[] }> =
  /* @__PURE__ */ answerSchema(
    record({ pool: address, similar: list(record({ likeness: whole(1), entry: jsonObject })) }),
  )
/** What the statement's body says; chain and registry stand beside it. */
type SignedBody = Omit<CatalogueEntry, 'chainId' | 'registry'>
const entrySchema: AnswerSchema<SignedBody> = /* @__PURE__ */ answerSchema(
  record<SignedBody>({
    pool: address,
    node: address,
    url: text(/^https?:\/\//, 'an http or https address'),
    name: text(),
    description: text(),
    purposes: list(text()),
    policy: digest,
    epoch: whole(1),
    schema: digest,
    tables: list(
      record({
        name: text(),
        description: text(),
        columns: list(record({ name: text(), type: text(), unit: nullable(text()), description: text() })),
      }),
    ),
    contributions: whole(0),
    price: amount,
    measurement: text(/^0x[0-9a-f]{64}$/, '32 bytes'),
    simulated: flag,
    expiresAt: whole(0),
  }),
)

/**
 * Searches the catalogue of a node. Each entry's signature is checked to be that of the node that it names; whether that node is one to
 * be trusted is only known after `ready()` of a client for the pool.
 *
 * @param options - which node, and what is looked for
 * @returns one page
 * @throws ClientError `OPTION_INVALID` for an address that is none, `NODE_UNREACHABLE`, `NODE_REFUSED` with the node's code,
 *   `NODE_ANSWER_INVALID` also for an entry whose signature does not hold, that has expired, comes twice, or was not asked for
 * @example
 * ```ts no-run
 * import { searchCatalogue } from '@sealpool/client/catalogue'
 * const { entries } = await searchCatalogue({ url: 'https://node.example', text: 'wages' })
 * console.log(entries.map(({ name, pool, url }) => `${name} ${pool} ${url}`))
 * ```
 */
export async function searchCatalogue(options: CatalogueOptions): Promise<CataloguePage> {
  const asked = new URLSearchParams()
  for (const name of ['text', 'schema', 'after'] as const) {
    const value = options[name]
    if (value !== undefined) asked.set(name, value)
  }
  const page = await askNode(options, `?${asked}`, pageSchema)
  const entries = takenEntries(page.entries, options)
  for (const [index, entry] of entries.entries())
    if (options.schema !== undefined && entry.schema !== options.schema)
      throw refusalAt(index)('it has another schema than was asked for')
  return { ...page, entries }
}

/**
 * What a node lists that declares most in common with a pool: the schema, columns with type and unit, words. Entries are checked as
 * those of {@link searchCatalogue}; how alike they are is the word of the node that is asked, and says nothing about the data.
 *
 * @param options - which node, and which pool
 * @returns the most alike first
 * @throws ClientError as {@link searchCatalogue}; `NODE_REFUSED` with `POOL_NOT_LISTED` for a pool that the node does not list
 * @example
 * ```ts no-run
 * import { similarPools } from '@sealpool/client/catalogue'
 * const found = await similarPools({ url: 'https://node.example', pool: `0x${'ab'.repeat(20)}` })
 * console.log(found.map(({ likeness, entry }) => `${likeness / 10} % ${entry.name}`))
 * ```
 */
export async function similarPools(options: SimilarOptions): Promise<readonly SimilarEntry[]> {
  const pool = options.pool.toLowerCase()
  if (!/^0x[0-9a-f]{40}$/.test(pool))
    throw new ClientError('OPTION_INVALID', 'pool', 'a pool is named by its address')
  const answer = await askNode(options, `/${pool}/similar`, likenessSchema)
  const entries = takenEntries(
    answer.similar.map(({ entry }) => entry),
    options,
  )
  let before = 1_000
  return entries.map((entry, index) => {
    const refuse = refusalAt(index)
    const likeness = answer.similar[index]?.likeness ?? 0
    if (entry.pool === pool || answer.pool !== pool) throw refuse('it is not about what was asked for')
    if (likeness > before) throw refuse('it is out of order')
    before = likeness
    return { likeness, entry }
  })
}

async function askNode<T>(options: CatalogueCallOptions, path: string, schema: AnswerSchema<T>): Promise<T> {
  const place = 'GET /catalogue'
  const base = URL.canParse(options.url) ? new URL(options.url) : undefined
  const more = base && [base.username, base.password, base.search, base.hash].join('')
  if (base === undefined || !/^https?:$/.test(base.protocol) || more !== '')
    throw new ClientError('OPTION_INVALID', 'url', 'a node has an http or https address')
  const fetcher = options.fetch ?? globalThis.fetch
  let response: Response
  let json: unknown
  try {
    response = await fetcher(`${base.href.replace(/\/+$/, '')}/v1/catalogue${path}`, {
      signal: AbortSignal.timeout(options.timeoutMs ?? 30_000),
      redirect: 'error',
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    })
    json = await readAnswer(response, maximumAnswerBytes, place)
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    throw new ClientError('NODE_UNREACHABLE', place, 'the node gave no complete answer in time; try again', {
      cause,
    })
  }
  if (!response.ok) {
    const refusal = readAs(refusalAnswerSchema, json)
    if (!refusal.ok) throw new ClientError('NODE_ANSWER_INVALID', place, `HTTP ${response.status}`)
    const { code, message } = refusal.answer.error
    throw new ClientError('NODE_REFUSED', place, `${code}: ${message}`, { nodeCode: code })
  }
  const read = readAs(schema, json)
  if (!read.ok)
    throw new ClientError('NODE_ANSWER_INVALID', place, `the answer has another shape at ${read.place}`)
  return read.answer
}

/** Entries that are signed, have not expired, are for the chain that was asked for, and of which none comes twice. */
function takenEntries(
  given: readonly JsonObject[],
  { deployment, now = platformNow }: CatalogueCallOptions,
): readonly CatalogueEntry[] {
  if (given.length > maximumEntries)
    throw new ClientError(
      'NODE_ANSWER_INVALID',
      'GET /catalogue',
      `it has more than ${maximumEntries} entries`,
    )
  const entries = given.map((one, index) => signedEntry(one, index))
  const pools = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    const refuse = refusalAt(index)
    // A node that was asked nicely could show for ever what somebody once signed.
    if (entry.expiresAt * 1000 <= now().getTime()) throw refuse('it has expired')
    const name = `${entry.chainId} ${entry.registry} ${entry.pool}`
    if (pools.has(name)) throw refuse('its pool comes twice')
    pools.add(name)
    const here =
      deployment === undefined ||
      (entry.chainId === deployment.chainId && entry.registry === deployment.nodeRegistry.toLowerCase())
    if (!here) throw refuse('it was signed for another chain or registry')
  }
  return entries
}

function refusalAt(index: number) {
  return (why: string) => new ClientError('NODE_ANSWER_INVALID', `GET /catalogue entry ${index}`, why)
}

function signedEntry(input: JsonObject, index: number): CatalogueEntry {
  const refuse = refusalAt(index)
  let signed: SignedStatement
  try {
    signed = parseSignedStatement(input)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw refuse('it is no signed statement')
  }
  if (signed.statement.type !== 'sealpool/catalogue-entry' || signed.statement.version !== 1)
    throw refuse('it is a statement on something else')
  const read = readAs(entrySchema, signed.statement.body)
  if (!read.ok) throw refuse(`it has another shape at ${read.place}`)
  if (!verifyStatement(signed, { signer: read.answer.node })) throw refuse('its signature is not the node’s')
  if (signed.context.pool.toLowerCase() !== read.answer.pool) throw refuse('it was signed for another pool')
  const { chainId, registry } = signed.context
  return { ...read.answer, chainId, registry: registry.toLowerCase() as Address }
}
