/**
 * How far a node's state has come, in its own words: what peers remember of it, and what it asks them by.
 * @module
 */
import {
  type Address,
  CryptoError,
  type Digest,
  digestOf,
  type JsonObject,
  parseSignedStatement,
  type SignedStatement,
  verifyStatement,
} from '@sealpool/crypto'
import * as z from 'zod'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>
const address = z.string().regex(/^0x[0-9a-f]{40}$/) as z.ZodType<Address>
const count = z.int().min(0)

const headSchema = z.strictObject({
  /** How often the state was restored from a backup by order: heads of an earlier line are over. */
  line: count,
  /** Commits of the sealed state. */
  version: count,
  /** Root of the sealed state at that commit, see `SealedStore.head`. */
  state: digest,
  /** Where the budget ledger of each served pool ends, by address. */
  budgets: z
    .array(z.strictObject({ pool: address, version: count, head: digest }))
    .max(100)
    .refine((list) => list.every(({ pool }, index) => index === 0 || (list[index - 1]?.pool ?? '') < pool)),
})

/** How far a node's state has come. */
export type StateHead = z.output<typeof headSchema>

const questionSchema = z.strictObject({
  /** Key set of the node that is asked: nobody else can be asked with it. */
  keeper: digest,
  /** Unix seconds. */
  at: count,
})

/** Body of a question. */
export type HeadQuestion = z.output<typeof questionSchema>

/** The newest of heads, as both sides remember it. */
export type HeadMark = {
  readonly line: number
  readonly version: number
  readonly digest: Digest
}

/** A head that somebody signed. */
export interface SignedHead {
  readonly signer: Address
  readonly head: StateHead
  readonly mark: HeadMark
  readonly signed: SignedStatement
}

/** A statement that is about no pool. */
const noPool: Address = `0x${'0'.repeat(40)}`
const headType = 'sealpool/state-head'
const questionType = 'sealpool/state-head-question'

/** @returns the subject of a head: each line counts its versions anew */
function subjectOfHead({ line, version }: Pick<StateHead, 'line' | 'version'>) {
  return subjectOf((BigInt(line) << 64n) + BigInt(version))
}

/** @returns a head, signed */
export function signStateHead(sign: NodeSigner, head: StateHead): SignedHead {
  const body = head satisfies JsonObject
  const signed = sign({ type: headType, body, pool: noPool, subject: subjectOfHead(head), nonce: '0' })
  return { signer: signed.signer, head, mark: markOf(head), signed }
}

/** @returns what a node asks a keeper by, signed */
export function signHeadQuestion(sign: NodeSigner, question: HeadQuestion): SignedStatement {
  const body = question satisfies JsonObject
  return sign({ type: questionType, body, pool: noPool, subject: subjectOf(0), nonce: '0' })
}

/** @returns what is remembered of a head */
export function markOf(head: StateHead): HeadMark {
  return { line: head.line, version: head.version, digest: digestOf(head satisfies JsonObject) }
}

/**
 * @param value JSON of unknown origin
 * @returns a head with who signed it; undefined unless it is one, on these contracts
 */
export function readStateHead(value: unknown, deployment: NodeSigner['deployment']): SignedHead | undefined {
  const signed = readOwn(value, headType, deployment)
  const read = headSchema.safeParse(signed?.statement.body)
  if (signed === undefined || !read.success) return undefined
  if (signed.context.subject !== subjectOfHead(read.data)) return undefined
  return { signer: signed.signer, head: read.data, mark: markOf(read.data), signed }
}

/** @returns a question with who signed it; undefined unless it is one, on these contracts */
export function readHeadQuestion(
  value: unknown,
  deployment: NodeSigner['deployment'],
): { readonly signer: Address; readonly question: HeadQuestion } | undefined {
  const signed = readOwn(value, questionType, deployment)
  const read = questionSchema.safeParse(signed?.statement.body)
  if (signed === undefined || !read.success || signed.context.subject !== subjectOf(0)) return undefined
  return { signer: signed.signer, question: read.data }
}

/** A statement of a type about no pool, whose signature is that of its signer. */
function readOwn(
  value: unknown,
  type: string,
  deployment: NodeSigner['deployment'],
): SignedStatement | undefined {
  try {
    const signed = parseSignedStatement(value)
    const { statement, context } = signed
    const fits =
      statement.type === type &&
      statement.version === 1 &&
      context.chainId === deployment.chainId &&
      context.registry.toLowerCase() === deployment.nodeRegistry.toLowerCase() &&
      context.pool.toLowerCase() === noPool &&
      context.nonce === '0' &&
      context.facts.length === 0 &&
      verifyStatement(signed)
    return fits ? signed : undefined
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}

/** @returns below 0 when the first is older than the second, 0 when both are of one version, whatever they say */
export function compareMarks(
  first: Pick<HeadMark, 'line' | 'version'>,
  second: Pick<HeadMark, 'line' | 'version'>,
): number {
  return first.line === second.line ? first.version - second.version : first.line - second.line
}
