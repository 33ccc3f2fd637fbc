/**
 * The GPUs of a dstack guest. How they are set is extended into the guest's runtime register before the first quote, so that every quote
 * is over it; a node that is started anew within one boot finds it there.
 * @module
 */
import {
  type DstackEvent,
  dstackEventLogSchema,
  type GpuMode,
  gpuModeEvent,
  gpuModeEventName,
  gpuNonce,
} from '@sealpool/attest/platform-evidence'
import { encodeHex } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import type { DstackAgent } from './dstack-agent.js'
import type { GpuDriver, GuestGpus } from './guest-gpus.js'

/** GPUs whose mode is recorded. */
export interface RecordedGpus extends GuestGpus {
  /**
   * Sees to it that the mode is recorded as the driver tells it, once for as long as this process runs. A mode that has changed within
   * one boot is recorded once more, and whoever judges the guest refuses it then.
   * @throws NodeError `QUOTE_FAILED`
   */
  recorded(): Promise<void>
}

/** @param devices how many the settings say that there are */
export function dstackGpus(
  agent: Pick<DstackAgent, 'eventLog' | 'emit'>,
  driver: GpuDriver,
  devices: number,
): RecordedGpus {
  let done: Promise<void> | undefined
  const record = async (): Promise<void> => {
    const mode = await driver.mode()
    if (mode.devices !== devices)
      throw new NodeError(
        'QUOTE_FAILED',
        'evidence.gpus.devices',
        `the driver names ${mode.devices} GPUs, and the settings ${devices}; set the number that there are`,
      )
    if (lastRecorded(await logOf(agent)) === payloadOf(mode)) return
    const { name, payload } = gpuModeEvent(mode)
    await agent.emit(name, payload)
    if (lastRecorded(await logOf(agent)) !== payloadOf(mode))
      throw new NodeError(
        'QUOTE_FAILED',
        'dstack EmitEvent',
        'the agent’s log does not show what was written',
      )
  }
  return {
    async recorded() {
      done ??= record()
      // A failure is tried again with the next quote.
      await done.catch((error: unknown) => {
        done = undefined
        throw error
      })
    },
    async evidence(reportData) {
      const token = await driver.token(gpuNonce(reportData))
      return { eventLog: await agent.eventLog(), token }
    },
  }
}

function payloadOf(mode: GpuMode): string {
  return encodeHex(gpuModeEvent(mode).payload).slice(2)
}

async function logOf(agent: Pick<DstackAgent, 'eventLog'>): Promise<readonly DstackEvent[]> {
  let json: unknown
  try {
    json = JSON.parse(await agent.eventLog())
  } catch (cause) {
    if (cause instanceof NodeError) throw cause
    throw new NodeError('QUOTE_FAILED', 'dstack GetQuote', 'the event log is not JSON', { cause })
  }
  const log = dstackEventLogSchema.safeParse(json)
  if (log.success) return log.data
  throw new NodeError('QUOTE_FAILED', 'dstack GetQuote', 'the event log is none of dstack', {
    cause: log.error,
  })
}

function lastRecorded(log: readonly DstackEvent[]): string | undefined {
  return log.filter(({ imr, event }) => imr === 3 && event === gpuModeEventName).at(-1)?.event_payload
}
