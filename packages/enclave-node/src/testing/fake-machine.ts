/**
 * What a confidential machine offers, faked after the documents of its makers: Linux' configfs-tsm and dstack's guest agent.
 * The quotes in them are the simulator's.
 * @module
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AmdSimulator,
  createSimulator,
  type Simulator,
  simulatedDstackLog,
} from '@sealpool/attest/simulator'
import { decodeHex, encodeHex, type Hex, sha256Digest } from '@sealpool/crypto'
import type { WithTsmEntry } from '../evidence/configfs-tsm.js'
import type { TsmAttribute } from '../evidence/tsm-report.js'

const random = (length: number): Uint8Array =>
  new Uint8Array(length).map((_, index) => (index * 37 + length) & 0xff)

/** A simulator whose keys are always the same. */
export function fakeSimulator(): Simulator {
  return createSimulator({
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    at: new Date(),
  })
}

/** How a fake kernel behaves. */
export interface FakeTsm {
  readonly simulator: Simulator
  /** Reports of a guest in SEV-SNP with a chain of certificates; without it they have no signature. */
  readonly amd?: AmdSimulator
  /** `tdx_guest`, `sev_guest` or another driver. */
  provider?: string
  /** Bytes of one read at most. */
  shortReads?: number
  /** How many reads of a report say that the device is busy. */
  busy?: number
  /** How many reports somebody else's write disturbs. */
  disturbed?: number
  /** What is given beside the report; null: the file is not there. */
  auxiliary?: Uint8Array | null
  /** Gives a report over other data than was asked. */
  mixedUp?: boolean
  /** What stands in `outblob` instead. */
  garbage?: Uint8Array
  /** Entries that were made and not removed. */
  open?: number
}

/** A report of SEV-SNP with nothing in it but the data: its form is real, its signature is not. */
function snpReport(reportData: Uint8Array): Uint8Array {
  const report = new Uint8Array(1184)
  const view = new DataView(report.buffer)
  view.setUint32(0, 2, true)
  view.setUint32(0x34, 1, true)
  report.set(reportData, 0x50)
  return report
}

/**
 * Entries of a kernel that keeps to `Documentation/ABI/testing/configfs-tsm-report`: a write to `inblob` raises the generation by
 * one, reads give at most a page, a report is made when it is read.
 */
export function fakeTsmEntries(kernel: FakeTsm): WithTsmEntry {
  return async (use) => {
    kernel.open = (kernel.open ?? 0) + 1
    let generation = 0
    let inblob: Uint8Array | undefined
    /** As the kernel does: a report is kept until the next write. */
    let report: Uint8Array | undefined
    const fail = (code: string) => Object.assign(new Error(code), { code })
    const content = (attribute: TsmAttribute): Uint8Array => {
      const text = (value: string) => new TextEncoder().encode(`${value}\n`)
      if (attribute === 'generation') return text(String(generation))
      if (attribute === 'provider') return text(kernel.provider ?? 'tdx_guest')
      if (attribute === 'auxblob') {
        if (kernel.auxiliary === null) throw fail('ENOENT')
        return kernel.auxiliary ?? new Uint8Array(0)
      }
      if (inblob === undefined) throw fail('EINVAL')
      if ((kernel.busy ?? 0) > 0) {
        kernel.busy = (kernel.busy ?? 0) - 1
        throw fail('EBUSY')
      }
      if (kernel.garbage !== undefined) return kernel.garbage
      const reportData = kernel.mixedUp === true ? random(64) : inblob
      report ??=
        kernel.provider === 'sev_guest'
          ? (kernel.amd?.report({ reportData }) ?? snpReport(reportData))
          : kernel.simulator.quote({ reportData })
      return report
    }
    try {
      return await use({
        async write(_, bytes) {
          if (bytes.length !== 64) throw fail('EINVAL')
          inblob = bytes.slice()
          report = undefined
          generation += 1
        },
        async read(attribute, offset) {
          const bytes = content(attribute)
          if (attribute === 'outblob' && offset === 0 && (kernel.disturbed ?? 0) > 0) {
            kernel.disturbed = (kernel.disturbed ?? 0) - 1
            generation += 1
          }
          return bytes.subarray(offset, offset + (kernel.shortReads ?? 4096))
        },
      })
    } finally {
      kernel.open -= 1
    }
  }
}

/** How a fake guest agent behaves. */
export interface FakeDstack {
  readonly simulator: Simulator
  /** Answers something else to a method, or `hang` to say nothing at all. */
  answer?: (method: string) => { readonly status?: number; readonly body: string } | 'hang' | undefined
  /** Secret of the application, from which its keys follow. */
  application?: string
  /** What was written by `EmitEvent`, payloads as hex; the log shows it after the platform's own events. Absent: it has no log. */
  readonly appEvents?: { readonly name: string; readonly payload: string }[]
  readonly asked: string[]
}

/** What the agent's guest has written, and the registers that hold it. */
function logOf({ appEvents }: FakeDstack) {
  if (appEvents === undefined) return { eventLog: [], rtmrs: undefined }
  return simulatedDstackLog({
    composeHash: `0x${'0c'.repeat(32)}`,
    appId: `0x${'0b'.repeat(20)}`,
    appEvents: appEvents.map(({ name, payload }) => ({ name, payload: decodeHex(`0x${payload}`) })),
  })
}

/** A guest agent on a socket of its own. @returns its socket and its end */
export async function startFakeDstack(
  agent: FakeDstack,
): Promise<{ readonly socketPath: string; readonly stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-dstack-'))
  const socketPath = join(folder, 'dstack.sock')
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const method = (request.url ?? '').slice(1)
    agent.asked.push(method)
    const given = agent.answer?.(method)
    if (given === 'hang') return
    if (given !== undefined) {
      response.statusCode = given.status ?? 200
      response.end(given.body)
      return
    }
    const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, string>
    response.setHeader('content-type', 'application/json')
    if (method === 'GetQuote') {
      const asked = decodeHex(`0x${body['report_data'] ?? ''}` as Hex)
      // Shorter data is filled up with zeros at the end.
      const reportData = new Uint8Array(64)
      reportData.set(asked)
      const { eventLog, rtmrs } = logOf(agent)
      const quote = encodeHex(agent.simulator.quote({ reportData, ...(rtmrs && { rtmrs }) })).slice(2)
      response.end(
        JSON.stringify({
          quote,
          event_log: JSON.stringify(eventLog),
          report_data: body['report_data'],
          vm_config: '{}',
        }),
      )
    } else if (method === 'EmitEvent') {
      agent.appEvents?.push({ name: body['event'] ?? '', payload: body['payload'] ?? '' })
      // As a call without an answer's fields gives it.
      response.end('{}')
    } else if (method === 'GetKey') {
      const text = `${agent.application ?? 'application'}|${body['path']}`
      const key = sha256Digest(new TextEncoder().encode(text)).slice(7)
      response.end(JSON.stringify({ key, signature_chain: ['00'.repeat(65), '00'.repeat(65)] }))
    } else {
      response.statusCode = 400
      response.end(JSON.stringify({ error: 'unknown method' }))
    }
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return {
    socketPath,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
