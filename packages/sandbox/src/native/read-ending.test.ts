import { expect, test } from 'vitest'
import { readEnding } from './read-ending.js'
import type { Ending } from './start-program.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const ended: Ending = { begun: true, by: 'itself', status: 0, output: bytes('[1]'), complaint: 'canary' }

test('an answer is taken', () => {
  expect(readEnding(ended)).toEqual({ ok: true, output: [1], logs: [] })
})

test.each<[string, Partial<Ending>, string, string]>([
  ['before it began', { begun: false }, 'RUNTIME_LOST', 'load'],
  ['before it began, by the deadline of its start', { begun: false, by: 'deadline' }, 'RUNTIME_LOST', 'load'],
  ['by its caller', { by: 'caller', status: 137 }, 'RUNTIME_LOST', 'run'],
  ['by its deadline', { by: 'deadline', status: 137 }, 'TIMEOUT', 'run'],
  ['by the processor time that it took', { status: 152 }, 'TIMEOUT', 'run'],
  ['by what it wrote', { by: 'output', status: 137 }, 'OUTPUT_TOO_LARGE', 'output'],
  ['by a kill from outside', { status: 137 }, 'RUNTIME_LOST', 'run'],
  ['because the kernel did not take it', { status: 126 }, 'CODE_INVALID', 'load'],
  ['without its entry', { status: 64 }, 'ENTRY_MISSING', 'load'],
  ['without memory', { status: 12 }, 'OUT_OF_MEMORY', 'run'],
  ['by its filter', { status: 159 }, 'THREW', 'run'],
  ['by a fault', { status: 139 }, 'THREW', 'run'],
  ['with a status of its own', { status: 77 }, 'THREW', 'run'],
  ['with bytes that are no text', { output: Uint8Array.of(0x22, 0xff, 0x22) }, 'OUTPUT_NOT_JSON', 'output'],
  ['with a mark that is no JSON', { output: bytes('\ufeff[1]') }, 'OUTPUT_NOT_JSON', 'output'],
])('a program that ended %s', (_name, how, code, place) => {
  const result = readEnding({ ...ended, ...how })
  expect(result).toMatchObject({ ok: false, code, place })
  expect(JSON.stringify(result)).not.toMatch(/canary|77/)
})
