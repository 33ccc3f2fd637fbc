/**
 * Calls by which a node hands its keys to its successor, as data.
 * @module
 */
import * as z from 'zod'
import { handOverSchema } from '../migration/hand-over.js'
import { type ApiRoute, base64Url, digest, simulated } from './api-shapes.js'

/** Both calls of a migration. */
export const migrationEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/migration',
    summary: 'A nonce for the evidence of a successor.',
    answers: { 200: z.strictObject({ simulated, nonce: z.string() }) },
    refusals: ['MIGRATION_NOT_OPEN'],
  },
  {
    method: 'post',
    path: '/v1/migration',
    summary:
      'Hands the root to the attested successor that the settings name, sealed to its key set, and ends this node’s work.',
    body: handOverSchema,
    answers: { 200: z.strictObject({ simulated, root: base64Url.nullable(), successor: digest }) },
    refusals: [
      'BODY_INVALID',
      'MIGRATION_NOT_OPEN',
      'MIGRATION_NONCE',
      'MIGRATION_NOT_ATTESTED',
      'MIGRATION_SETTINGS',
      'MIGRATION_DONE',
      'BUSY',
    ],
  },
]
