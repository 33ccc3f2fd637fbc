/**
 * Calls about contributions that several nodes judge, as data.
 * @module
 */
import {
  type Address,
  CryptoError,
  type Digest,
  decodeBase64Url,
  decodeHex,
  type Hex,
} from '@sealpool/crypto'
import * as z from 'zod'
import { withheldReasons } from '../validation/judge-told.js'
import { itemsAtOnce, longestHeader, toldFactsSchema, type ValidationWish } from '../validation/told-facts.js'
import {
  type ApiRoute,
  addressSchema,
  base64Url,
  digest,
  id,
  idSchema,
  pageSchema,
  simulated,
  statement,
} from './api-shapes.js'

/** Body that asks a validator for its verdicts. */
const validationWishSchema = z.strictObject({
  pool: addressSchema,
  poc: digest,
  key: z.string().regex(/^0x[0-9a-f]{64}$/),
  items: z
    .array(
      z.strictObject({
        id: idSchema,
        block: z.string().regex(/^(0|[1-9]\d{0,14})$/),
        header: base64Url.max(Math.ceil((longestHeader * 4) / 3) + 4_000).nullable(),
        told: toldFactsSchema,
      }),
    )
    .min(1)
    .max(itemsAtOnce),
})

const about = {
  poc: digest.describe('code that judged'),
  commitment: digest.describe('of the contribution, as it stands on the chain'),
  inputs: digest.describe('keyed, of what all of them judged by'),
  earlierPolicy: z
    .exactOptional(digest)
    .describe('that it was sealed under, where a later proof judged it again'),
  validators: z.array(addressSchema).describe('whose word counts'),
}
const agreement = z.strictObject({ ...about, threshold: z.int().min(2), statements: z.array(statement) })
const shown = {
  number: z.string(),
  contribution: idSchema,
  pool: addressSchema,
  kind: z.enum(['mismatch', 'double-vote']),
  signers: z.array(addressSchema).length(2),
  digests: z.array(digest).length(2).describe('of the two verdicts'),
  fields: z.array(z.string()).describe('names of the fields in which they differ'),
}

/** The calls. */
export const validationEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/contributions/{id}/verdicts',
    summary:
      'What the pool’s validators have signed on a contribution, and where they contradict each other: with it anybody counts again.',
    parameters: id,
    answers: {
      200: z.strictObject({
        simulated,
        id: idSchema,
        pool: addressSchema,
        agreement: agreement.nullable().describe('null while too few agree'),
        rescored: z.array(agreement).describe('by later proofs, each by the digest of its code'),
        disputes: z.array(
          z.strictObject({
            ...shown,
            evidence: z
              .strictObject({ statements: z.array(statement).length(2), expected: z.strictObject(about) })
              .nullable()
              .describe('null once the contribution was taken back'),
          }),
        ),
      }),
    },
    refusals: ['ID_INVALID', 'CONTRIBUTION_UNKNOWN', 'VERDICTS_UNKNOWN'],
  },
  {
    method: 'get',
    path: '/v1/disputes',
    summary: 'Which validators contradict each other on which contributions, by digests, 100 at a time.',
    parameters: { from: { in: 'query', schema: pageSchema, required: false } },
    answers: {
      200: z.strictObject({
        simulated,
        disputes: z.array(z.strictObject({ ...shown, poc: digest })).max(100),
      }),
    },
    refusals: ['ID_INVALID'],
  },
  {
    method: 'post',
    path: '/v1/validation/verdicts',
    summary: 'Asks a validator for signed verdicts on contributions of a pool, as the pool’s home.',
    body: validationWishSchema,
    answers: {
      200: z.union([
        z.strictObject({
          simulated,
          state: z.literal('judged'),
          answers: z
            .array(
              z.strictObject({
                id: idSchema,
                statement: statement.nullable(),
                reason: z.enum(withheldReasons).nullable(),
              }),
            )
            .max(itemsAtOnce),
        }),
        z.strictObject({ simulated, state: z.enum(['later', 'refused']), reason: z.string() }),
      ]),
    },
    refusals: ['VALIDATION_NOT_SERVED', 'VALIDATION_BODY'],
  },
]

/** @returns a question to a validator; undefined for what is none */
export function readValidationWish(body: unknown): ValidationWish | undefined {
  const read = validationWishSchema.safeParse(body)
  if (!read.success) return undefined
  const { pool, poc, key, items } = read.data
  try {
    return {
      pool: pool.toLowerCase() as Address,
      poc: poc as Digest,
      key: decodeHex(key as Hex),
      items: items.map(({ header, ...item }) => ({
        ...item,
        header: header === null ? null : decodeBase64Url(header),
      })),
    }
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}
