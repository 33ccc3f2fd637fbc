/**
 * SIMULATED quotes: the byte layout and certificate chain of real ones under a root made on this machine. The root and
 * its keys lie in the data folder under a name that says so.
 * @module
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measurementDigest, parseQuote } from '@sealpool/attest'
import { createSimulator, exportSimulator, importSimulator, type Simulator } from '@sealpool/attest/simulator'
import { concatBytes, type Digest, digestToBytes, encodeHex, type Hex, sha256Digest } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import type { QuoteProvider } from './quote-provider.js'
import type { SimulatedGpus } from './simulated-gpus.js'

/** Name of the file; loud on purpose. */
export const simulatorFile = 'SIMULATOR-NOT-HARDWARE.json'

/** What an attestation policy must name for a simulated node to be accepted. */
export interface SimulatedPlatform {
  readonly simulated: true
  /** SHA-256 of the simulator's root certificate. */
  readonly rootDigest: Digest
  /** Measurement of the simulated machine image. */
  readonly mrTd: Hex
  /** The four run-time registers. */
  readonly rtmrs: readonly Hex[]
  /** All of it as one number: what the node registry on chain lists. */
  readonly measurement: Hex
}

/**
 * Opens the simulator of a data folder, or makes one.
 * @param options `directory`: the node's data folder; `random` and `at` are used only the first time
 * @returns the simulator
 * @throws NodeError `KEY_UNREADABLE` when the file is there and is not one
 */
export function openSimulator(options: {
  readonly directory: string
  readonly random: (length: number) => Uint8Array
  readonly at: Date
}): Simulator {
  const path = join(options.directory, simulatorFile)
  let text: string | undefined
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw unreadable(cause)
  }
  if (text !== undefined) {
    try {
      return importSimulator(JSON.parse(text))
    } catch (cause) {
      throw unreadable(cause)
    }
  }
  const simulator = createSimulator({ random: options.random, at: options.at })
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.part`
  writeFileSync(temporary, `${JSON.stringify(exportSimulator(simulator), null, 2)}\n`, {
    mode: 0o600,
    flush: true,
  })
  renameSync(temporary, path)
  return simulator
}

/**
 * What an attestation policy must name to accept nodes on this simulator.
 * @param simulator - from {@link openSimulator}
 * @param image - name of the simulated machine image; another name is measured as other code. Absent: the usual one
 * @param gpus - of the simulated machine, which are measured as well; absent: it has none
 * @returns the digest of its root certificate, and the measurements that its quotes report
 * @throws NodeError `KEY_UNREADABLE` when the simulator is not one of TDX
 */
export function simulatedPlatform(
  simulator: Simulator,
  image?: string,
  gpus?: Pick<SimulatedGpus, 'rtmrs'>,
): SimulatedPlatform {
  const quote = parseQuote(simulator.quote({ reportData: new Uint8Array(64), ...machineOf(image, gpus) }))
  if (quote.report.kind !== 'td')
    throw new NodeError('KEY_UNREADABLE', simulatorFile, 'the simulator is not one of TDX')
  const { mrTd: td, rtmrs: registers } = quote.report
  const register = (index: number) => encodeHex(registers[index] ?? new Uint8Array(48))
  const mrTd = encodeHex(td)
  const rtmrs = [register(0), register(1), register(2), register(3)] as const
  return {
    simulated: true,
    rootDigest: simulator.rootDigest,
    mrTd,
    rtmrs,
    measurement: measurementDigest({ mrTd, rtmrs }),
  }
}

/** What a simulated machine image of this name is measured as: as long as MRTD, and nothing that could be real. */
function imageOf(name: string | undefined): { readonly mrTd?: Uint8Array } {
  if (name === undefined) return {}
  const [head, tail] = ['head', 'tail'].map((part) =>
    digestToBytes(sha256Digest(new TextEncoder().encode(`simulated image ${part}\n${name}`))),
  )
  return { mrTd: concatBytes(head ?? new Uint8Array(32), (tail ?? new Uint8Array(32)).slice(0, 16)) }
}

function machineOf(image: string | undefined, gpus: Pick<SimulatedGpus, 'rtmrs'> | undefined) {
  return { ...imageOf(image), ...(gpus === undefined ? {} : { rtmrs: gpus.rtmrs }) }
}

/**
 * A quote provider without hardware.
 * @param simulator from {@link openSimulator}
 * @param now the clock for the collateral's dates
 * @param image as for {@link simulatedPlatform}
 * @param gpus as for {@link simulatedPlatform}
 */
export function simulatorQuoteProvider(
  simulator: Simulator,
  now: () => Date,
  image?: string,
  gpus?: SimulatedGpus,
): QuoteProvider {
  return {
    name: 'simulator',
    simulated: true,
    quote: async (reportData) => simulator.quote({ reportData, ...machineOf(image, gpus) }),
    collateral: async () => simulator.collateral(now()),
    ...(gpus === undefined ? {} : { gpus }),
  }
}

function unreadable(cause: unknown): NodeError {
  return new NodeError(
    'KEY_UNREADABLE',
    simulatorFile,
    'the simulator file cannot be read; restore it or remove it',
    {
      cause,
    },
  )
}
