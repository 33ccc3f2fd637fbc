import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { canonicalBytes } from '@sealpool/crypto'
import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { integer, oneOf, record, type Schema, schema } from '../shape/shape.js'
import type { Hex } from '../verdict/verdict.js'

/** Name of the event under which a guest records how its GPUs are set. */
export const gpuModeEventName = 'sealpool-gpu-mode'

/** How the GPUs of a guest were set when it recorded this, as it asked their driver. */
export type GpuMode = {
  format: 'sealpool/gpu-mode'
  version: 1
  /** Whether the GPUs protect what they compute on from their host (NVIDIA: CC mode). */
  confidentialComputing: 'on' | 'off'
  /** Whether developers' tools may look into the GPUs all the same (NVIDIA: devtools mode). */
  developerTools: 'on' | 'off'
  /** How many GPUs. */
  devices: number
}

/** Devices that one record may speak of: as many as one token of NVIDIA's service. */
const maximumDevices = 64

/** Schema of {@link GpuMode}; unknown fields are refused. */
export const gpuModeSchema: Schema<GpuMode> = /* @__PURE__ */ (() =>
  schema(
    'BAD_EVIDENCE',
    'gpuMode',
    'Not the record of a GPU’s mode',
    record<GpuMode>({
      format: oneOf(['sealpool/gpu-mode']),
      version: oneOf([1]),
      confidentialComputing: oneOf(['on', 'off']),
      developerTools: oneOf(['on', 'off']),
      devices: integer(1, maximumDevices),
    }),
  ))()

/**
 * The event that a guest extends into its runtime register (RTMR3) before it takes data, once: dstack's guest agent takes name and
 * payload as they are. It is the same at each boot, so that measurements of the register stay as they are.
 *
 * @param mode how the GPUs are set
 * @returns the event's name and payload: canonical JSON (RFC 8785)
 * @throws AttestError `BAD_EVIDENCE` when the record is none
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { gpuModeEvent } from '@sealpool/attest/platform-evidence'
 *
 * const mode = { confidentialComputing: 'on', developerTools: 'off', devices: 1 } as const
 * const { name, payload } = gpuModeEvent({ format: 'sealpool/gpu-mode', version: 1, ...mode })
 * assert.equal(name, 'sealpool-gpu-mode')
 * assert.match(new TextDecoder().decode(payload), /^\{"confidentialComputing":"on"/)
 * ```
 */
export function gpuModeEvent(mode: GpuMode): { readonly name: string; readonly payload: Uint8Array } {
  return { name: gpuModeEventName, payload: canonicalBytes(gpuModeSchema.parse(mode)) }
}

/**
 * Reads the payload of a guest's event.
 *
 * @param payload 0x and hex, as an event log gives it
 * @returns the record
 * @throws AttestError `BAD_EVIDENCE` when it is none, or not written as {@link gpuModeEvent} writes it
 */
export function parseGpuMode(payload: Hex): GpuMode {
  let json: unknown
  try {
    const bytes = Uint8Array.from(payload.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw new AttestError('BAD_EVIDENCE', 'gpuMode', 'The payload of the event is no JSON text')
  }
  const mode = gpuModeSchema.parse(json)
  if (`0x${bytesToHex(canonicalBytes(mode))}` !== payload)
    throw new AttestError('BAD_EVIDENCE', 'gpuMode', 'The payload of the event is not canonical JSON')
  return mode
}

/**
 * The nonce for which a guest's GPUs must be asked: it follows from the guest's own quote, so that the evidence of another guest's
 * GPUs, or of another hour, does not fit.
 *
 * @param reportData the 64 bytes that the guest's quote is over
 * @returns 32 bytes: SHA-256 of `sealpool/gpu-nonce`, a zero byte and the report data
 * @throws AttestError `BAD_ARGUMENT` when these are not 64 bytes
 */
export function gpuNonce(reportData: Uint8Array): Uint8Array {
  needBytes(reportData, 'reportData')
  if (reportData.length !== 64)
    throw new AttestError('BAD_ARGUMENT', 'reportData', 'The report data are 64 bytes')
  return sha256(concatBytes(new TextEncoder().encode('sealpool/gpu-nonce\0'), reportData))
}
