import { type Digest, parseDigest } from '../digest/digest.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { exactly } from '../encoding/exact-object.js'
import { requireOptions } from '../encoding/options.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError, type CryptoErrorCode } from '../errors.js'

/** What a sealed file is for. It is public, authenticated, and every key of the file depends on it. */
export interface SealContext {
  readonly chainId: number
  /** In lower case once read or written. */
  readonly pool: Address
  readonly policyDigest: Digest
  /** Key epoch, 0 to 2^32 - 1. */
  readonly epoch: number
  /** Salted commitment to the plaintext. */
  readonly commitment: Digest
  /** Media type of the plaintext, such as `text/csv`. */
  readonly mediaType: string
}

/** The members of a context, all that can be expected of one. */
export const contextNames = ['chainId', 'commitment', 'epoch', 'mediaType', 'policyDigest', 'pool'] as const
const mediaTypePattern =
  /^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}(?:;[\x20-\x7e]{1,120})?$/

/**
 * Checks a context's every field and gives it in its one form (addresses in lower case, no other fields).
 *
 * @param value - what the caller or a header gave
 * @param code - reason to give in errors
 * @param place - where the context stands
 * @returns the context
 * @throws CryptoError with `code`
 */
export function parseContext(
  value: unknown,
  code: CryptoErrorCode = 'CONTEXT_INVALID',
  place = '$.context',
): SealContext {
  const fields = exactly(value, contextNames, code, place)
  const { chainId, epoch, mediaType } = fields
  const refuse = (name: string, why: string) => new CryptoError(code, `${place}.${name}`, why)
  if (!isWhole(chainId, 1)) {
    throw refuse('chainId', 'expected a positive whole number')
  }
  if (!isWhole(epoch, 0, 2 ** 32 - 1)) {
    throw refuse('epoch', 'expected a whole number below 2^32')
  }
  if (typeof mediaType !== 'string' || !mediaTypePattern.test(mediaType)) {
    throw refuse('mediaType', 'expected a media type such as text/csv')
  }
  const read = <T>(name: string, parse: (value: unknown, place: string) => T): T => {
    try {
      return parse(fields[name], name)
    } catch (error) {
      throw new CryptoError(code, `${place}.${name}`, 'not in its one form', { cause: error })
    }
  }
  return {
    chainId,
    pool: read('pool', parseAddress),
    policyDigest: read('policyDigest', parseDigest),
    epoch,
    commitment: read('commitment', parseDigest),
    mediaType,
  }
}

/**
 * Refuses a context that is not the expected one.
 *
 * @param context - the file's
 * @param expect - a plain object of the fields that must agree; those left out are not compared
 * @throws CryptoError `CONTEXT_MISMATCH`, its place naming the field; `OPTION_INVALID` for a field that no context
 *   has, for one that is there but undefined, and for what is no plain object
 */
export function requireContext(context: SealContext, expect: Partial<SealContext>): void {
  // Nothing in the place of an expectation (a misspelt setting, a Map) must not pass as none.
  requireOptions(expect, 'expect')
  for (const name of Reflect.ownKeys(expect).map(String)) {
    if (!Object.hasOwn(context, name)) {
      throw new CryptoError(
        'OPTION_INVALID',
        `expect.${name}`,
        `a context has only ${contextNames.join(', ')}`,
      )
    }
    const wanted = expect[name as keyof SealContext]
    if (wanted === undefined) {
      throw new CryptoError('OPTION_INVALID', `expect.${name}`, 'undefined; leave out what is not compared')
    }
    const found = context[name as keyof SealContext]
    const lower = name === 'pool' && typeof wanted === 'string' ? wanted.toLowerCase() : wanted
    if (found !== lower) {
      throw new CryptoError(
        'CONTEXT_MISMATCH',
        `$.context.${name}`,
        'the file was sealed for another context',
      )
    }
  }
}
