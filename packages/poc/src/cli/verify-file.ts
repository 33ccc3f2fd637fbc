import { readFile } from 'node:fs/promises'
import {
  type Address,
  type Digest,
  digestOf,
  digestToBytes,
  encodeHex,
  type Hex,
  type JsonValue,
} from '@sealpool/crypto'
import * as z from 'zod'
import { verifyDatasetFacts } from '../dataset-facts/dataset-facts-statement.js'
import { PocError } from '../errors.js'
import { isWithinDepth } from '../json-depth.js'
import { verifyRescoring } from '../rescoring/rescoring-statement.js'
import { type VerdictContext, verifyVerdict } from '../verdict/verdict-statement.js'
import { UsageError } from './arguments.js'
import { factsCard } from './facts-card.js'
import { rescoringCard } from './rescoring-card.js'
import { harmless, scoreCard } from './score-card.js'

/** Largest statement or file of expectations. */
const MOST_BYTES = 16 * 2 ** 20

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text as Address)
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest)
const schema = z.strictObject({
  chainId: z.int().positive(),
  registry: address,
  pool: address,
  validators: z.array(address).min(1).max(1000),
  subject: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/)
    .transform((text) => text as Hex)
    .optional(),
  commitment: digest.optional(),
  nonce: z
    .string()
    .regex(/^\d{1,78}$/)
    .optional(),
  inputs: digest.optional(),
  earlierPolicy: digest.optional(),
  contribution: z.string().min(1).max(200).optional(),
  poc: digest.optional(),
})
type Expected = z.infer<typeof schema>

/**
 * Checks a signed verdict, a signed rescoring, or signed facts of a dataset as a node serves them, against what the reader knows, and says what holds.
 *
 * @param command files and form of the answer
 * @param io where it writes
 * @returns 0 when everything holds, else 1
 * @throws UsageError for files that cannot be read
 */
export async function verifyFile(
  command: { readonly file: string; readonly expect: string; readonly json: boolean },
  io: { readonly write: (text: string) => void },
): Promise<0 | 1> {
  const expected = schema.safeParse(await readJson(command.expect))
  if (!expected.success) {
    const place = expected.error.issues[0]?.path.join('.') ?? ''
    throw new UsageError(
      `${command.expect}: ${place === '' ? 'what is expected' : place} has not the form that --help tells`,
    )
  }
  const item = await readJson(command.file)
  try {
    const { kind, signer, json, text } = isFacts(item)
      ? verifiedFacts(item, expected.data)
      : statementType(item) === 'sealpool/rescoring'
        ? verifiedRescoring(item, expected.data)
        : verifiedVerdict(item, expected.data)
    if (command.json) io.write(`${JSON.stringify({ verified: true, kind, signer, ...json })}\n`)
    else io.write(`verified  ${kind}, signed by ${signer}\n\n${text}`)
    return 0
  } catch (error) {
    if (!(error instanceof PocError)) throw error
    const { code, place, message } = error
    if (command.json) io.write(`${JSON.stringify({ verified: false, code, place })}\n`)
    else io.write(`NOT verified  ${code} at ${place}: ${message}\n`)
    return 1
  }
}

async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    throw new UsageError(`${path} cannot be read`)
  }
  if (text.length > MOST_BYTES) throw new UsageError(`${path} is larger than any statement`)
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new UsageError(`${path} is no JSON`)
  }
}

/** Facts as a node serves them: the statement beside what it is about. */
function isFacts(item: unknown): item is { readonly input: unknown; readonly statement: unknown } {
  return typeof item === 'object' && item !== null && 'input' in item && 'statement' in item
}

function verifiedVerdict(item: unknown, expected: Expected) {
  const { contribution, poc, pool, validators } = expected
  const commitment = required(expected.commitment, 'commitment')
  const known = required(contribution, 'contribution')
  const context = { ...contextOf(expected, commitment), subject: expected.subject ?? subjectOf(known) }
  const { verdict, signer } = verifyVerdict(item, {
    context,
    pool,
    contribution: known,
    poc: required(poc, 'poc'),
    validators,
  })
  return { kind: 'verdict', signer, json: { verdict }, text: scoreCard(verdict) }
}

/** What a signed statement says that it is; undefined for what is none. */
function statementType(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || !('statement' in item)) return undefined
  const { statement } = item
  return typeof statement === 'object' && statement !== null && 'type' in statement
    ? statement.type
    : undefined
}

function verifiedRescoring(item: unknown, { chainId, registry, pool, poc, validators }: Expected) {
  const { rescoring, signer } = verifyRescoring(item, {
    chainId,
    registry,
    pool,
    validators,
    ...(poc === undefined ? {} : { poc }),
  })
  return { kind: 'rescoring', signer, json: { rescoring }, text: rescoringCard(rescoring) }
}

function verifiedFacts(item: { readonly input: unknown; readonly statement: unknown }, expected: Expected) {
  // What stands beside the statement is believed only as far as the signed commitment is its digest.
  const made = inputDigest(item.input)
  const commitment = expected.commitment ?? made
  if (commitment !== made)
    throw new PocError(
      'STATEMENT_INVALID',
      'input',
      'the facts are about something else; ask for those of this commitment',
    )
  const { pool, validators } = expected
  const context = {
    ...contextOf(expected, commitment),
    subject: expected.subject ?? encodeHex(digestToBytes(commitment)),
  }
  const { facts, signer } = verifyDatasetFacts(item.statement, { context, pool, validators })
  return {
    kind: 'dataset facts',
    signer,
    json: { facts, input: item.input },
    text: `about     ${harmless(JSON.stringify(item.input))}\n${factsCard(facts)}`,
  }
}

function inputDigest(input: unknown): Digest {
  try {
    if (isWithinDepth(input)) return digestOf(input as JsonValue)
  } catch {
    // What has no canonical form was not signed either.
  }
  throw new PocError(
    'STATEMENT_INVALID',
    'input',
    'what the facts are about has no canonical form; ask the node again',
  )
}

function contextOf(expected: Expected, commitment: Digest): Omit<VerdictContext, 'subject'> {
  const { chainId, registry, nonce, inputs, earlierPolicy } = expected
  return {
    chainId,
    registry,
    commitment,
    ...(nonce === undefined ? {} : { nonce }),
    ...(inputs === undefined ? {} : { inputs }),
    ...(earlierPolicy === undefined ? {} : { earlierPolicy }),
  }
}

/** A contribution's number as contracts have it, in 32 bytes. */
function subjectOf(contribution: string): Hex {
  if (!/^\d{1,77}$/.test(contribution))
    throw new UsageError('--expect: `contribution` is no number; say `subject`, 32 bytes in hexadecimal')
  return `0x${BigInt(contribution).toString(16).padStart(64, '0')}`
}

function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined)
    throw new UsageError(`--expect: \`${name}\` is missing, which a verdict is held against`)
  return value
}
