/**
 * NVIDIA's GPUs by the two programs of their maker that are in the guest's image: `nvidia-smi` says how the driver has set them, `nvattest`
 * asks them and NVIDIA's attestation service. No GPU was at hand: this keeps to what is documented of their output, and refuses any other.
 * @see NVIDIA attestation SDK, command reference of nvattest
 * @module
 */
import { execFile } from 'node:child_process'
import type { GpuMode } from '@sealpool/attest/platform-evidence'
import { encodeHex } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { GpuDriver } from './guest-gpus.js'

/** Runs a program to its end. @returns what it wrote to its standard output; throws when it fails */
export type RunProgram = (path: string, given: readonly string[]) => Promise<string>

/** Where the programs are. */
export interface NvidiaPrograms {
  readonly nvidiaSmi: string
  readonly nvattest: string
}

/** Most bytes of a program's output. */
const maximumOutput = 4 << 20

/** @param timeoutMs for one run */
export function runProgram(timeoutMs: number): RunProgram {
  return (path, given) =>
    new Promise((resolve, reject) => {
      const options = { timeout: timeoutMs, maxBuffer: maximumOutput, killSignal: 'SIGKILL' } as const
      execFile(path, given, options, (error, output) => (error === null ? resolve(output) : reject(error)))
    })
}

/** `detached_eat`: the token as the service gave it, `[["JWT", …], { "GPU-0": … }]`; read by whoever verifies it. */
const attested = z.looseObject({ result_code: z.literal(0), detached_eat: z.array(z.unknown()).length(2) })

/**
 * @param programs where they are
 * @param run see {@link runProgram}
 * @returns the GPUs of this machine
 */
export function nvidiaDriver(programs: NvidiaPrograms, run: RunProgram): GpuDriver {
  const ask = async (path: string, given: readonly string[]): Promise<string> => {
    try {
      return await run(path, given)
    } catch (cause) {
      throw new NodeError(
        'QUOTE_FAILED',
        `${path} ${given[0]}`,
        'the program failed; is it in the image, with its driver, and can it reach NVIDIA’s service?',
        { cause },
      )
    }
  }
  const setting = async (option: string, name: string): Promise<'on' | 'off'> => {
    const output = await ask(programs.nvidiaSmi, ['conf-compute', option])
    const [, value] = new RegExp(`^${name}: (ON|OFF)$`, 'm').exec(output) ?? []
    if (value !== undefined) return value === 'ON' ? 'on' : 'off'
    throw unknownForm(programs.nvidiaSmi)
  }
  return {
    async mode(): Promise<GpuMode> {
      const listed = await ask(programs.nvidiaSmi, ['--query-gpu=uuid', '--format=csv,noheader'])
      const devices = listed.split('\n').filter((line) => line.startsWith('GPU-')).length
      return {
        format: 'sealpool/gpu-mode',
        version: 1,
        confidentialComputing: await setting('-f', 'CC status'),
        developerTools: await setting('-d', 'DevTools Mode'),
        devices,
      }
    },
    async token(nonce) {
      const given = [
        'attest',
        '--device',
        'gpu',
        '--verifier',
        'remote',
        '--nonce',
        encodeHex(nonce).slice(2),
      ]
      const output = await ask(programs.nvattest, given)
      let json: unknown
      try {
        json = JSON.parse(output)
      } catch (cause) {
        throw unknownForm(programs.nvattest, cause)
      }
      const read = attested.safeParse(json)
      if (!read.success) throw unknownForm(programs.nvattest, read.error)
      return JSON.stringify(read.data.detached_eat)
    },
  }
}

function unknownForm(path: string, cause?: unknown): NodeError {
  return new NodeError(
    'QUOTE_FAILED',
    path,
    'what it wrote has another form than this release knows; use a release of it that is documented',
    { cause },
  )
}
