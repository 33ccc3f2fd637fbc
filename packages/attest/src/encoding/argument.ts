import { AttestError } from '../errors.js'
import { isBytes } from './is-bytes.js'

// Callers without types may give anything, and that says nothing about the evidence.

function need(holds: boolean, place: string, what: string): void {
  if (!holds) throw new AttestError('BAD_ARGUMENT', place, `${what} expected`)
}

/**
 * What must be bytes is.
 *
 * @throws AttestError `BAD_ARGUMENT`
 */
export function needBytes(value: Uint8Array, place: string): void {
  need(isBytes(value), place, 'Uint8Array')
}

/**
 * The same for lists of bytes.
 *
 * @throws AttestError `BAD_ARGUMENT`
 */
export function needBytesList(value: readonly Uint8Array[], place: string): void {
  // Not `every` alone: it leaves holes out.
  need(Array.isArray(value) && Array.from<unknown>(value).every(isBytes), place, 'list of Uint8Array')
}

/**
 * The same for text.
 *
 * @throws AttestError `BAD_ARGUMENT`
 */
export function needText(value: string, place: string): void {
  need(typeof value === 'string', place, 'text')
}
