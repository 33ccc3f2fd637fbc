import { type CheckAnswer, fail, notChecked, pass } from './check-list.js'
import type { Verdict } from './verdict.js'

/**
 * Whether a guest is safe from its host's debugger, asked of the verdict on its hardware.
 *
 * @param hardware the verdict; null when the hardware was not verified
 * @param allowDebug whether the caller takes a guest under debug; anything but true is no
 * @returns fail for a guest under debug unless that is allowed; a pass then says so
 */
export function debugAnswer(hardware: Verdict | null, allowDebug: boolean | undefined): CheckAnswer {
  if (hardware === null) return notChecked('The hardware’s evidence was not verified.')
  if (!hardware.claims.debug) return pass('It does not.')
  return allowDebug === true
    ? pass('DEBUG: its host can read its memory; the caller has allowed it.')
    : fail('it runs under debug, so its host can read its memory')
}
