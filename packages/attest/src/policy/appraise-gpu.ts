import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { DstackVerdict } from '../dstack/event-log.js'
import { AttestError } from '../errors.js'
import { type GpuMode, gpuModeEventName, gpuNonce, parseGpuMode } from '../gpu/gpu-mode.js'
import type { NvidiaTokenVerdict } from '../nvidia/token.js'
import type { NvidiaVerdict } from '../nvidia/verify.js'
import type { Hex, Verdict } from '../verdict/verdict.js'
import type { Appraisal } from './appraise.js'
import type { GpuRules } from './platform-policy.js'

/** What was verified of the guest, and of the GPUs that it shows. */
export interface GpuGuest {
  readonly guest: (Partial<DstackVerdict> & { readonly hardware: Verdict | null }) | undefined
  readonly report: NvidiaVerdict | undefined
  readonly token: NvidiaTokenVerdict | undefined
}

/** The rules that tie GPUs to the guest that shows them; device and guest are judged by rules of their own. */
export function gpuParts({ guest, report, token }: GpuGuest, rules: GpuRules): Appraisal[] {
  const claims = guest?.hardware?.claims
  if (claims === undefined)
    return notProved('The policy asks for GPUs of a guest, and the guest’s hardware was not verified.')
  if (claims.tee !== 'tdx')
    return notProved(
      'The mode of the GPUs is in no register: this guest’s hardware has none that it could record it in.',
    )
  const nonces = [report, token].flatMap((verdict) => (verdict === undefined ? [] : [verdict.nonce]))
  if (nonces.length === 0) return notProved('The policy asks for GPUs, and no evidence of one was given.')
  const wanted: Hex = `0x${bytesToHex(gpuNonce(hexToBytes(claims.reportData.slice(2))))}`
  if (nonces.some((nonce) => nonce !== wanted))
    return notProved(
      'The GPUs’ evidence was made for another guest or quote: its nonce does not follow from this one.',
    )
  const mode = recordedMode(guest?.facts?.appEvents ?? [])
  return typeof mode === 'string' ? notProved(mode) : modeParts(mode, devicesOf(report, token), rules)
}

function modeParts(mode: GpuMode, shown: number, { minimumDevices = 1 }: GpuRules): Appraisal[] {
  const reasons: string[] = []
  if (mode.confidentialComputing !== 'on')
    reasons.push('The guest has recorded that confidential computing is off in its GPUs.')
  if (mode.developerTools !== 'off')
    reasons.push('The guest has recorded that developers’ tools may look into its GPUs.')
  if (mode.devices !== shown)
    reasons.push(`The guest has recorded ${mode.devices} GPUs, and evidence of ${shown} was given.`)
  if (shown < minimumDevices)
    reasons.push(`Evidence of ${shown} GPUs was given, and the policy asks for ${minimumDevices}.`)
  return [reasons.length === 0 ? { answer: 'allowed', reasons } : { answer: 'not-allowed', reasons }]
}

/** GPUs that evidence was given of: switches count as none. A report is that of one device. */
function devicesOf(report: NvidiaVerdict | undefined, token: NvidiaTokenVerdict | undefined): number {
  const named = token?.devices.filter(({ name }) => name.startsWith('GPU-')).length
  return named ?? (report === undefined ? 0 : 1)
}

/** The one record, or why there is none: a guest that set its GPUs anew has recorded a second one. */
function recordedMode(events: DstackVerdict['facts']['appEvents']): GpuMode | string {
  const [first, ...more] = events.filter(({ name }) => name === gpuModeEventName)
  if (first === undefined) return 'The guest has recorded no mode of its GPUs in its event log.'
  if (more.length > 0)
    return 'The guest has recorded the mode of its GPUs more than once: they were set anew after the first record.'
  try {
    return parseGpuMode(first.payload)
  } catch (error) {
    if (error instanceof AttestError)
      return `What the guest has recorded of its GPUs cannot be read: ${error.message}.`
    throw error
  }
}

function notProved(reason: string): Appraisal[] {
  return [{ answer: 'not-proved', reasons: [reason] }]
}
