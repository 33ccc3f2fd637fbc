/**
 * Sealed calls, sign-ins and tokens, as data.
 * @module
 */
import * as z from 'zod'
import {
  type ApiRoute,
  addressSchema,
  caller,
  digest,
  nothingSchema,
  revocationSchema,
  role,
  signInSchema,
  simulated,
  tokenRequestSchema,
} from './api-shapes.js'

/** Calls by which callers say who they are. */
export const authenticationEndpoints: readonly ApiRoute[] = [
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
