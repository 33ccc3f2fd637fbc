/**
 * Calls of the door, the log of receipts and the audit log, as data.
 * @module
 */
import * as z from 'zod'
import {
  type ApiRoute,
  addressSchema,
  caller,
  digest,
  json,
  nothingSchema,
  pageSchema,
  revocationSchema,
  role,
  signInSchema,
  simulated,
  statement,
  tokenRequestSchema,
} from './api-shapes.js'

/** Calls through which others come in, and what is kept for them to check. */
export const doorAndLogRoutes: readonly ApiRoute[] = [
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
  {
    method: 'post',
    path: '/v1/sealed',
    summary: 'Any other call, sealed to the node’s key set from end to end (HPKE).',
    body: z.string(),
    media: { body: 'application/vnd.sealpool.sealed-call', answer: 'application/vnd.sealpool.sealed-answer' },
    answers: { 200: null },
    refusals: ['MEDIA_TYPE_INVALID', 'SEALED_CALL_INVALID', 'CALL_STALE', 'CALL_REPEATED', 'BUSY'],
  },
  {
    method: 'get',
    path: '/v1/sign-in',
    summary: 'A nonce for a sign-in, and what its message must name.',
    answers: {
      200: z.strictObject({
        simulated,
        nonce: z.string(),
        domain: z.string(),
        uri: z.string(),
        chainId: z.int().positive(),
        keySet: digest,
      }),
    },
    refusals: [],
  },
  {
    method: 'post',
    path: '/v1/sign-in',
    summary: 'Begins a session of a wallet that has signed an EIP-4361 message.',
    body: signInSchema,
    answers: {
      200: z.strictObject({
        simulated,
        token: z.string(),
        address: addressSchema,
        roles: z.array(role),
        expiresAt: z.int(),
        caller,
      }),
    },
    refusals: [
      'SIGN_IN_BODY',
      'SIGN_IN_MESSAGE',
      'SIGN_IN_DOMAIN',
      'SIGN_IN_CHAIN',
      'SIGN_IN_KEY_SET',
      'SIGN_IN_EXPIRED',
      'SIGN_IN_NOT_YET',
      'SIGN_IN_NONCE',
      'SIGN_IN_SIGNATURE',
      'SIGN_IN_ROLE',
      'BUSY',
    ],
  },
  {
    method: 'post',
    path: '/v1/sign-out',
    summary: 'Ends the session, and every token that was narrowed from it.',
    body: nothingSchema,
    answers: { 200: z.strictObject({ simulated, ended: z.literal(true) }) },
    refusals: [],
  },
  {
    method: 'post',
    path: '/v1/tokens',
    summary: 'A token for an agent: the wallet’s rights as far as agents have them, narrowed by the caveats.',
    body: tokenRequestSchema,
    answers: { 200: z.strictObject({ simulated, token: z.string(), id: z.string(), expiresAt: z.int() }) },
    refusals: ['TOKEN_REQUEST_INVALID'],
  },
  {
    method: 'post',
    path: '/v1/tokens/revoke',
    summary: 'Revokes a token of the same wallet, and all that were narrowed from it.',
    body: revocationSchema,
    answers: { 200: z.strictObject({ simulated, revoked: z.string() }) },
    refusals: ['REVOCATION_INVALID'],
  },
]
