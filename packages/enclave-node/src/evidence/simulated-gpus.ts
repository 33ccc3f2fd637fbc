/**
 * SIMULATED GPUs of a simulated guest: the event log and the token have the form of real ones, a service made on this machine vouches for
 * them, and the model's name says that there is no hardware.
 * @module
 */
import { createHash } from 'node:crypto'
import { defaultAttestationPolicy } from '@sealpool/attest'
import {
  composeHash,
  type GpuMode,
  type GuestGpuRules,
  gpuModeEvent,
  gpuNonce,
} from '@sealpool/attest/platform-evidence'
import {
  createGpuSimulator,
  exportSimulator,
  type GpuSimulator,
  type Simulator,
  simulatedDstackLog,
  simulatedGpuModel,
} from '@sealpool/attest/simulator'
import type { GuestGpus } from './guest-gpus.js'

/** SIMULATED GPUs, and the registers of a guest that has recorded them. */
export interface SimulatedGpus extends GuestGpus {
  /** RTMR0 to RTMR3, 48 bytes each: what the guest's quotes must carry. */
  readonly rtmrs: readonly Uint8Array[]
}

const simulatedCompose = composeHash('{"name":"SIMULATED guest with GPUs"}')
const simulatedApp = `0x${'51'.repeat(20)}` as const

/** @returns GPUs in the mode in which they have to be, as a guest records it */
export function confidentialMode(devices: number): GpuMode {
  return {
    format: 'sealpool/gpu-mode',
    version: 1,
    confidentialComputing: 'on',
    developerTools: 'off',
    devices,
  }
}

/**
 * The service that vouches for the GPUs beside a simulator: always the same one beside the same simulator.
 * @param simulator from `openSimulator`
 */
export function gpuServiceOf(simulator: Simulator): GpuSimulator {
  const { root } = exportSimulator(simulator).keys
  const bytes = ['first', 'second'].map((part) =>
    createHash('sha512').update(`sealpool simulated GPU service\n${part}\n${root}`).digest(),
  )
  return createGpuSimulator({ random: (length) => new Uint8Array(Buffer.concat(bytes).subarray(0, length)) })
}

/**
 * @param service from {@link gpuServiceOf}
 * @param recorded what the guest has recorded of its GPUs, in order; as many are shown as the last record names
 * @param now the clock for the token's dates
 */
export function simulatedGpus(
  service: GpuSimulator,
  recorded: readonly GpuMode[],
  now: () => Date,
): SimulatedGpus {
  const { eventLog, rtmrs } = simulatedDstackLog({
    composeHash: simulatedCompose,
    appId: simulatedApp,
    appEvents: recorded.map(gpuModeEvent),
  })
  const devices = recorded.at(-1)?.devices ?? 1
  return {
    rtmrs,
    async evidence(reportData) {
      const token = service.token({ nonce: gpuNonce(reportData), devices, at: now() })
      return { eventLog: JSON.stringify(eventLog), token: JSON.stringify(token) }
    },
  }
}

/**
 * Rules by which GPUs beside these simulators are accepted, and no others.
 * @param simulators from `openSimulator`
 */
export function simulatedGpuRules(...simulators: readonly Simulator[]): GuestGpuRules {
  return {
    policy: {
      format: 'sealpool/platform-policy',
      version: 1,
      dstack: {
        hardware: {
          ...defaultAttestationPolicy,
          roots: simulators.map(({ rootDigest }) => rootDigest),
          allowSimulator: true,
          measurements: [],
        },
        apps: [{ name: 'SIMULATED guest with GPUs', composeHash: simulatedCompose }],
      },
      nvidiaToken: { hardwareModels: [simulatedGpuModel] },
      gpu: {},
    },
    keys: simulators.flatMap((simulator) => gpuServiceOf(simulator).serviceKeys),
  }
}
