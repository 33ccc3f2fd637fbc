import { SandboxError } from '../errors.js'
import { DEFAULT_LIMITS } from '../limits.js'
import { writeLauncher } from './launcher.js'
import type { Machine } from './machine.js'
import { machineCode, type Step } from './machine-code.js'
import type { ProgramPlace } from './place-program.js'
import { SIGSYS } from './read-ending.js'
import { startProgram } from './start-program.js'
import { numberOf } from './system-calls.js'
import { planElf, writeElf } from './write-elf.js'

const BASE = 0x40_0000n
const START_MS = 15_000
const ANSWER = new TextEncoder().encode('[]')

/**
 * Finds out whether programs run here, and behind the filter: one must be able to answer, and one that makes a call which the filter does
 * not have must be ended for it.
 *
 * @param machine - this one
 * @param place - where programs are put
 * @throws SandboxError `RUNTIME_UNAVAILABLE`
 */
export async function probe(machine: Machine, place: ProgramPlace): Promise<void> {
  const honest = await run(machine, place, [])
  if (honest.status !== 0 || new TextDecoder().decode(honest.output) !== '[]') {
    throw unavailable(`no program starts (${honest.status}): ${honest.complaint}`)
  }
  const curious = await run(machine, place, [{ call: numberOf(machine, 'getppid') ?? 0, arguments: [] }])
  if (!curious.begun || curious.status !== SIGSYS) throw unavailable('system calls are not filtered')
}

async function run(machine: Machine, place: ProgramPlace, before: readonly Step[]) {
  const call = (name: 'write' | 'exit_group', ...values: (number | bigint)[]): Step => ({
    call: numberOf(machine, name) ?? 0,
    arguments: values,
  })
  const steps = [...before, call('write', 1, planElf(BASE).data, ANSWER.length), call('exit_group', 0)]
  const program = writeElf({ machine, base: BASE, data: ANSWER, code: machineCode(machine, steps) })
  const placed = place.place(program, (path) =>
    writeLauncher({ machine, path, entry: 'probe', limits: DEFAULT_LIMITS }),
  )
  try {
    const { command, feeds } = placed
    const given = { command, feeds, input: new Uint8Array(), timeMs: START_MS, outputBytes: 100 }
    return await startProgram({ ...given, complains: true }).ended
  } finally {
    placed.remove()
  }
}

function unavailable(why: string): SandboxError {
  return new SandboxError('RUNTIME_UNAVAILABLE', 'native', why)
}
