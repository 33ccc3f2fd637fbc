import type { RunErrorCode } from '../errors.js'
import { failure, type RunFailure } from '../failure.js'
import { decodeOutput } from '../json-boundary.js'
import type { RunResult } from '../runtime.js'
import { STATUS_NOT_STARTED } from './launcher.js'
import type { Ending } from './start-program.js'

/** Status by which a program says that it found no memory (ENOMEM). */
const STATUS_OUT_OF_MEMORY = 12
/** Status by which a program says that it has no such entry (EX_USAGE). */
const STATUS_NO_ENTRY = 64
const SIGKILL = 128 + 9
const SIGXCPU = 128 + 24
/** What ends a program that makes a system call which its filter does not have. */
export const SIGSYS = 128 + 31

const refusal = (code: RunErrorCode, place: string, message: string): RunFailure => ({
  ok: false,
  code,
  message,
  place,
})

/** What is answered to code that is no program for this machine. */
export const NOT_A_PROGRAM: RunFailure = refusal(
  'CODE_INVALID',
  'load',
  'the code is not a static program for this machine (ELF-64 in base64, no interpreter, nothing both written and executed)',
)

/** What is answered to an entry that cannot be a program's argument. */
export const NO_ENTRY: RunFailure = refusal(
  'ENTRY_MISSING',
  'load',
  'the program has no entry of the asked name, which it says with status 64',
)

/**
 * What a program's ending says. Its status is the program's own word, which is told in a few kinds alone: what it read may be private.
 *
 * @param ending - how it ended
 * @returns the result
 */
export function readEnding({ begun, by, status, output }: Ending): RunResult {
  if (!begun || by === 'caller') return failure('RUNTIME_LOST', begun ? 'run' : 'load')
  if (by === 'deadline' || status === SIGXCPU) return failure('TIMEOUT', 'run')
  if (by === 'output') return failure('OUTPUT_TOO_LARGE', 'output')
  // The machine's memory was full, or somebody killed it: the program cannot end like that by itself.
  if (status === SIGKILL) return failure('RUNTIME_LOST', 'run')
  if (status === STATUS_NOT_STARTED) return NOT_A_PROGRAM
  if (status === STATUS_NO_ENTRY) return NO_ENTRY
  if (status === STATUS_OUT_OF_MEMORY) return failure('OUT_OF_MEMORY', 'run')
  if (status === SIGSYS) {
    return refusal('THREW', 'run', 'the program made a system call that it may not, and was ended')
  }
  if (status !== 0)
    return refusal('THREW', 'run', 'the program failed; its status is withheld, it may hold private data')
  const value = decodeBytes(output)
  return value === undefined
    ? failure('OUTPUT_NOT_JSON', 'output')
    : { ok: true, output: value.value, logs: [] }
}

function decodeBytes(bytes: Uint8Array): ReturnType<typeof decodeOutput> {
  try {
    return decodeOutput(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return undefined
  }
}
