import { ClientError } from './errors.js'

/**
 * A limit that can be one.
 *
 * @param value a positive whole number, or anything
 * @param place the option's name, for the error
 * @param most the largest that is taken; default: any
 * @returns the same number
 * @throws ClientError `OPTION_INVALID`
 */
export function positive(value: number, place: string, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value > 0 && value <= most) return value
  throw new ClientError('OPTION_INVALID', place, 'expected a positive whole number that is not too large')
}
