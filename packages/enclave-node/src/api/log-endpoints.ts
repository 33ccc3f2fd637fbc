/**
 * What the node keeps for others to check, as data: the log of receipts and the audit log.
 * @module
 */
import * as z from 'zod'
import { type ApiRoute, digest, json, pageSchema, simulated, statement } from './api-shapes.js'

/** Calls of both logs. */
export const logEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/log/key',
    summary: 'The key of the log of receipts, with the node’s statement on it.',
    answers: { 200: z.strictObject({ simulated, key: z.string(), statement }) },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/log/checkpoint',
    summary: 'The newest signed checkpoint of the log of receipts (C2SP tlog-checkpoint).',
    answers: { 200: null },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/log/tile/{level}/{tile}',
    summary: 'A tile of the log of receipts (C2SP tlog-tiles).',
    parameters: {
      level: { in: 'path', schema: z.string().regex(/^([0-5]|entries)$/), required: true },
      tile: { in: 'path', schema: z.string().max(40), required: true },
    },
    answers: { 200: null },
    media: { answer: 'application/octet-stream' },
    refusals: ['TILE_UNKNOWN'],
  },
  {
    method: 'get',
    path: '/v1/audit',
    summary: 'Entries of the audit log, 500 at a time, with its signed head.',
    parameters: { from: { in: 'query', schema: pageSchema, required: false } },
    answers: {
      200: z.strictObject({
        simulated,
        length: z.int().nonnegative(),
        digest: digest.nullable(),
        head: statement,
        entries: z.array(json).max(500),
      }),
    },
    refusals: ['ID_INVALID'],
  },
]
