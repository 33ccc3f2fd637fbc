import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { type GpuMode, gpuModeEvent, gpuModeEventName, gpuNonce } from '../gpu/gpu-mode.js'
import { verifyDstackEventLog, verifyNvidiaToken } from '../platform-evidence/index.js'
import type { TdxClaims } from '../verdict/verdict.js'
import { verifyQuote } from '../with-platform.js'
import { at, simulator } from './fixture.js'
import { dstackLog, logRegisters, runtimeEvent, serviceAnswer, serviceKeys } from './platform-fixture.js'

// A simulated guest of TDX with dstack's event log, and a simulated answer of NVIDIA's service about its GPU: no hardware stands behind
// any of it.

export const guestReportData = concatBytes(new Uint8Array(32).fill(4), new Uint8Array(32).fill(9))
/** What the guest's GPUs are asked with. */
export const guestNonce = gpuNonce(guestReportData)
export const mode: GpuMode = {
  format: 'sealpool/gpu-mode',
  version: 1,
  confidentialComputing: 'on',
  developerTools: 'off',
  devices: 1,
}
export const recorded = (one: GpuMode = mode) =>
  runtimeEvent(gpuModeEventName, bytesToHex(gpuModeEvent(one).payload))
/** The platform's own events. */
export const boot = dstackLog.filter(({ event }) => event !== 'app-says')

/** Quote of a guest that booted with these events after the platform's own. */
export const guestQuote = (events: ReturnType<typeof runtimeEvent>[]) =>
  simulator.quote({ reportData: guestReportData, rtmrs: logRegisters([...boot, ...events]) })

/** The same guest, verified; `shown`: the event log that it shows, when it is another one. */
export function guestWith(
  events: ReturnType<typeof runtimeEvent>[],
  shown: typeof boot = [...boot, ...events],
) {
  const hardware = verifyQuote(guestQuote(events), {
    collateral: simulator.collateral(at),
    at,
    trustedRoots: [simulator.rootDigest],
  })
  const { rtmrs } = hardware.claims as TdxClaims
  return { ...verifyDstackEventLog({ eventLog: shown, claims: { rtmrs } }), hardware }
}

/** The service's answer about the GPU, asked with this nonce. */
export function answerFor(nonce: Uint8Array, defects: Parameters<typeof serviceAnswer>[0] = {}) {
  const asked = { eat_nonce: bytesToHex(nonce) }
  return serviceAnswer({
    ...defects,
    overall: { ...asked, ...defects.overall },
    device: { ...asked, ...defects.device },
  })
}

/** The same, verified. */
export const tokenFor = (nonce: Uint8Array, defects: Parameters<typeof serviceAnswer>[0] = {}) =>
  verifyNvidiaToken(answerFor(nonce, defects), { keys: serviceKeys, at, nonce })
