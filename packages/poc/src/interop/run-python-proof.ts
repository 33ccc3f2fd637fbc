import { type Digest, encodeBase64Url, sha256Digest } from '@sealpool/crypto'
import { type JobRuntime, type Limits, type RunErrorCode, SandboxError } from '@sealpool/sandbox'
import { PocError } from '../errors.js'
import type { JudgedPart } from '../verdict/verdict.js'
import { requireMainModule, requireOwnMain } from './main-module.js'
import { fromResultsJson } from './results-json.js'

/** A Python proof: one script, or modules by path with the one that is run. */
export interface PythonProof {
  /** What the runtime of Pyodide takes; its SHA-256 is the digest that a pool approves. */
  readonly code: string
  readonly digest: Digest
}

/**
 * Bundles the modules of a Python proof to one text with one digest: the same files give the same digest, in whatever order they come.
 *
 * @param options `main`: module to run, for example `my_proof`; `files`: sources by path, for example `my_proof/__main__.py`
 * @returns the bundle, JSON text with `main` and the files sorted by path, and the SHA-256 of its UTF-8 bytes
 * @throws PocError `CODE_INVALID` at `main` when the files do not hold the module that it names
 */
export function bundlePythonProof(options: {
  readonly main: string
  readonly files: Readonly<Record<string, string>>
}): PythonProof {
  requireMainModule(options, 'main')
  const files = Object.fromEntries(Object.entries(options.files).sort(([a], [b]) => (a < b ? -1 : 1)))
  const code = JSON.stringify({ main: options.main, files })
  return { code, digest: sha256Digest(new TextEncoder().encode(code)) }
}

/**
 * Runs an existing proof unchanged: its input is in `/input`, its result is what it writes to `/output/results.json`, and settings come
 * as environment variables. The standard library is all there is; there is no clock, network or randomness.
 *
 * @param options `proof`; `runtime`: of `createProcessRuntime({ engine: 'pyodide', ... })`; `files` for `/input`; `environment`
 * @returns the verdict's part, as {@link fromResultsJson} reads it
 * @throws PocError `CODE_MISMATCH`, `CODE_INVALID` when the proof does not load or does not hold its `main`, `PROOF_WITHOUT_RESULT` when it ends without a
 *   result (it threw on these files, a syntax error in them included, or needed more than the limits), `RUNTIME_FAILED`, `VERDICT_INVALID`
 */
export async function runPythonProof(options: {
  readonly proof: PythonProof
  readonly runtime: JobRuntime
  readonly limits: Limits
  readonly files: Readonly<Record<string, Uint8Array>>
  readonly environment?: Readonly<Record<string, string>>
}): Promise<JudgedPart> {
  const { proof, runtime, limits, environment = {} } = options
  if (sha256Digest(new TextEncoder().encode(proof.code)) !== proof.digest) {
    throw new PocError(
      'CODE_MISMATCH',
      'proof.digest',
      'the code is not what the digest approves; fetch it again',
    )
  }
  requireOwnMain(proof.code)
  const files = Object.fromEntries(
    Object.entries(options.files).map(([name, bytes]) => [name, { base64: base64(bytes) }]),
  )
  try {
    const result = await runtime.run({
      code: proof.code,
      entry: '__main__',
      input: { files, env: environment },
      limits,
    })
    if (result.ok) return fromResultsJson(result.output)
    throw noResult(result.code, result.place)
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    throw new PocError('RUNTIME_FAILED', error.place, `the runtime refused the call (${error.code})`, {
      cause: error,
    })
  }
}

function noResult(code: RunErrorCode, place: string): PocError {
  if (code === 'RUNTIME_LOST')
    return new PocError('RUNTIME_FAILED', place, 'the process that ran the proof ended; run it again')
  return code === 'CODE_INVALID' || code === 'ENTRY_MISSING'
    ? new PocError('CODE_INVALID', place, `the Python proof does not load (${code})`)
    : new PocError(
        'PROOF_WITHOUT_RESULT',
        place,
        `the Python proof gave no result on these files (${code}); look at what they hold and at what it expects`,
      )
}

function base64(bytes: Uint8Array): string {
  const text = encodeBase64Url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}
