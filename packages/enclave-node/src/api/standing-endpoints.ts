/**
 * Calls by which a node says how it stands, as data.
 * @module
 */
import * as z from 'zod'
import { type ApiRoute, simulated } from './api-shapes.js'

const lines = z.array(z.string())

/** The calls. */
export const standingEndpoints: readonly ApiRoute[] = [
  {
    method: 'get',
    path: '/v1/health',
    summary: 'The process answers.',
    answers: { 200: z.strictObject({ simulated, ok: z.literal(true) }) },
    refusals: [],
  },
  {
    method: 'get',
    path: '/v1/ready',
    summary: 'Whether the node works, why not, and what its operator should know besides.',
    answers: {
      200: z.strictObject({ simulated, ready: z.literal(true), reasons: lines.max(0), notes: lines }),
      503: z.strictObject({ simulated, ready: z.literal(false), reasons: lines.min(1), notes: lines }),
    },
    refusals: [],
  },
]
