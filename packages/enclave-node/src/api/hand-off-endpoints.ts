/**
 * Calls between nodes by which one runs a job for another, as data. All of them are taken inside sealed calls only.
 * @module
 */
import * as z from 'zod'
import { handOffRefusalTexts } from '../hand-off/hand-off-refusal.js'
import { maximumFiles, transferFileSchema } from '../hand-off/leash.js'
import { chunkBytes } from '../hand-off/transfer-files.js'
import type { ApiErrorCode } from './api-error.js'
import { type ApiRoute, base64Url, digest, id, idSchema, simulated, statement } from './api-shapes.js'

const transfer = z.string().regex(/^[0-9a-f]{32}$/)
const whole = z.int().nonnegative()

/** Body that begins a transfer. */
export const openTransferSchema = z.strictObject({ job: idSchema, manifest: digest })
/** Body that names the files of a transfer. */
export const announceSchema = z.strictObject({
  transfer,
  files: z.array(transferFileSchema).min(1).max(maximumFiles),
})
/** Body that brings a chunk. */
export const chunkSchema = z.strictObject({
  transfer,
  file: whole,
  index: whole,
  digest,
  bytes: base64Url.max(Math.ceil((chunkBytes * 4) / 3)),
})
/** Body of the other calls. */
export const transferSchema = z.strictObject({ transfer })

const state = z.union([
  z.strictObject({
    simulated,
    state: z.literal('receiving'),
    missing: z
      .array(z.tuple([whole, whole]))
      .describe('chunks that are not there yet, as file and index; the first of them'),
  }),
  z.strictObject({ simulated, state: z.enum(['running', 'answered']) }),
  z.strictObject({
    simulated,
    state: z.literal('refused'),
    code: z.enum(['RUN_FAILED', ...Object.keys(handOffRefusalTexts)]),
  }),
])
const common: readonly ApiErrorCode[] = ['HAND_OFF_NOT_SERVED', 'HAND_OFF_BODY', 'HAND_OFF_UNKNOWN']
const call = (
  name: string,
  summary: string,
  body: z.ZodType,
  answer: z.ZodType,
  refusals: readonly ApiErrorCode[],
): ApiRoute => ({
  method: 'post',
  path: `/v1/hand-off/${name}`,
  summary,
  body,
  answers: { 200: answer },
  refusals: [...common, ...refusals],
})

/** The calls. */
export const handOffEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/jobs/{id}/work',
    summary:
      'What the node that ran a job for this one has signed, or each of those that ran a shard of it; the receipt names the digests.',
    parameters: id,
    answers: {
      200: z.union([
        z.strictObject({ simulated, job: idSchema, work: statement }),
        z.strictObject({ simulated, job: idSchema, works: z.array(statement) }),
      ]),
    },
    refusals: ['ID_INVALID', 'JOB_UNKNOWN', 'WORK_UNKNOWN'],
  },
  call(
    'open',
    'Begins the transfer of a job that the caller has begun on the chain: a key for it alone, signed.',
    openTransferSchema,
    z.strictObject({ simulated, transfer, key: statement }),
    ['HAND_OFF_JOB', 'HAND_OFF_FULL'],
  ),
  call('announce', 'Names the files of a transfer; the first is the sealed leash.', announceSchema, state, [
    'HAND_OFF_TOO_LARGE',
    'HAND_OFF_DIFFERS',
  ]),
  call('chunk', 'Brings 128 KiB of a file; it may come twice, and in any order.', chunkSchema, state, [
    'HAND_OFF_CHUNK',
    'HAND_OFF_DIFFERS',
  ]),
  call('status', 'How a transfer stands.', transferSchema, state, []),
  call(
    'answer',
    'The answer, sealed to the job’s key of the caller, and the node’s signed word on it.',
    transferSchema,
    z.strictObject({ simulated, sealed: base64Url, work: statement }),
    ['HAND_OFF_NOT_READY'],
  ),
  call(
    'end',
    'Ends a transfer: its key is destroyed and its files are removed.',
    transferSchema,
    z.strictObject({ simulated, ended: z.literal(true) }),
    [],
  ),
]
