import { encodeBase64Url } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import { createNativeRuntime } from '@sealpool/sandbox/native'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import type { ProgramRuntime } from '../config/program-settings.js'

/** What a runtime of programs is opened with. */
export interface ProgramRuntimeOptions {
  readonly runtime: ProgramRuntime
  /** As the settings of the sandbox ask for it. */
  readonly isolation: 'bubblewrap' | 'process' | 'best'
  /** Runs at once. */
  readonly children: number
}

/**
 * Starts the processes that programs of one job run in. Python and native programs have bubblewrap around them whatever the settings say.
 * @throws SandboxError `RUNTIME_UNAVAILABLE` where it is not to be had
 */
export function openProgramRuntime({
  runtime,
  isolation,
  children,
}: ProgramRuntimeOptions): Promise<JobRuntime> {
  if (runtime === 'native') return createNativeRuntime({ isolation: 'bubblewrap', programs: children })
  return createProcessRuntime({
    isolation: runtime === 'pyodide' ? 'bubblewrap' : isolation,
    engine: runtime,
    children,
  })
}

/** A program's bytes as its runtime takes them: text for the engines of scripts, base64 for the others. */
export function codeText(runtime: ProgramRuntime, bytes: Uint8Array): string {
  if (runtime !== 'webassembly' && runtime !== 'native') return new TextDecoder().decode(bytes)
  const text = encodeBase64Url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}
