import { type Address, type Hex, isAddress, zeroHash } from 'viem'
import * as z from 'zod'
import { ContractsError } from '../errors.js'
import type { SignedPermit } from './query-permit.js'

/** Characters of a permit's text, far above any that an honest issuer writes. */
const maximumLength = 32_768
/** Bytes of a signature: contract wallets may need several of 65. */
const maximumSignatureBytes = 8_192

/** Built when it is asked for: a page that reads no permit carries no schema library. */
function permitSchema() {
  const address = z.custom<Address>(
    (value) => typeof value === 'string' && isAddress(value),
    'not an address',
  )
  const word = z.custom<Hex>(
    (value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value),
    'not 32 bytes in lower-case hexadecimal',
  )
  const whole = (bits: number) =>
    z
      .string()
      .regex(/^(0|[1-9][0-9]{0,38})$/, 'not a decimal number')
      .transform(BigInt)
      .refine((value) => value < 1n << BigInt(bits), `more than ${bits} bits`)
  const count = z.int().min(1).max(4_294_967_295)
  const signature = z.custom<Hex>(
    (value) =>
      typeof value === 'string' &&
      value.length <= 2 + 2 * maximumSignatureBytes &&
      /^0x([0-9a-f]{2})+$/.test(value),
    'not a signature in lower-case hexadecimal',
  )
  return z.strictObject({
    format: z.literal('sealpool/query-permit'),
    version: z.literal(1),
    chainId: z.int().positive(),
    permissions: address,
    permit: z.strictObject({
      issuer: address,
      appointment: count,
      pool: address,
      grantee: address,
      jobDigest: word,
      terms: z
        .strictObject({
          price: whole(128),
          poolTokenBurn: whole(128),
          runs: count,
          opensAt: whole(64),
          closesAt: whole(64),
          scopeDigest: word,
        })
        .refine(({ opensAt, closesAt }) => closesAt >= opensAt, 'closes before it opens'),
      salt: word,
    }),
    signature,
  })
}

/**
 * A signed permit as JSON text, numbers past 2^53 as decimal strings; {@link parsePermit} reads it.
 *
 * @param signed - what `signPermit` gave
 * @returns indented JSON
 */
export function formatPermit({ chainId, permissions, permit, signature }: SignedPermit): string {
  const { issuer, appointment, pool, grantee, jobDigest, terms, salt } = permit
  const { price, poolTokenBurn, runs, opensAt, closesAt, scopeDigest = zeroHash } = terms
  const written = {
    ...{ price: `${price}`, poolTokenBurn: `${poolTokenBurn}`, runs },
    ...{ opensAt: `${opensAt}`, closesAt: `${closesAt}`, scopeDigest: scopeDigest.toLowerCase() },
  }
  return JSON.stringify(
    {
      format: 'sealpool/query-permit',
      version: 1,
      chainId,
      permissions,
      permit: {
        ...{ issuer, appointment, pool, grantee, jobDigest: jobDigest.toLowerCase(), terms: written },
        salt: salt.toLowerCase(),
      },
      signature: signature.toLowerCase(),
    },
    null,
    2,
  )
}

/**
 * Reads what {@link formatPermit} wrote. It checks the form only: whether it can be redeemed says `getPermit`.
 *
 * @param text - the JSON text, at most 32,768 characters; unknown fields are an error
 * @returns the permit, with its signature and where it counts
 * @throws {ContractsError} `ARGUMENT_INVALID`, naming the field.
 */
export function parsePermit(text: string): SignedPermit {
  const refuse = (why: string, cause?: unknown) =>
    new ContractsError('ARGUMENT_INVALID', 'parsePermit', why, cause === undefined ? {} : { cause })
  if (text.length > maximumLength) throw refuse(`a permit has at most ${maximumLength} characters`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw refuse('not JSON', cause)
  }
  const result = permitSchema().safeParse(json)
  if (!result.success) {
    const fields = result.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'document'}: ${message}`,
    )
    throw refuse(fields.slice(0, 5).join('; '))
  }
  const { chainId, permissions, permit, signature } = result.data
  return { chainId, permissions, permit, signature }
}
