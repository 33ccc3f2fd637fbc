import { expect, test } from 'vitest'
import * as aggregate from './aggregate/index.js'
import { CryptoError } from './errors.js'
import * as main from './index.js'
import * as interop from './interop/index.js'
import * as postQuantum from './post-quantum/index.js'
import * as recovery from './recovery/index.js'
import * as threshold from './threshold/index.js'

const entries = { main, aggregate, interop, postQuantum, recovery, threshold }

/** Every function that the package gives out, those of its objects (`x25519Kem`) too: a new one is found by itself. */
function everyFunction(): readonly (readonly [string, (...given: readonly unknown[]) => unknown])[] {
  const found: (readonly [string, (...given: readonly unknown[]) => unknown])[] = []
  const look = (name: string, value: unknown): void => {
    if (typeof value === 'function' && value !== CryptoError) {
      found.push([name, value as (...given: readonly unknown[]) => unknown])
    } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
      for (const [member, inner] of Object.entries(value)) look(`${name}.${member}`, inner)
    }
  }
  for (const [entry, names] of Object.entries(entries)) look(entry, names)
  return found
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const trap = () => {
  throw new Error('a getter of the caller')
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(32)
  structuredClone(bytes, { transfer: [bytes.buffer] })
  return bytes
}

const hostile: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  'a number': () => 7,
  'not a number': () => Number.NaN,
  'a big number': () => 2n ** 300n,
  'a text': () => 'text',
  'a symbol': () => Symbol('given'),
  true: () => true,
  'a function': () => () => undefined,
  'an empty object': () => ({}),
  'an object without a prototype': () => Object.create(null),
  'an empty array': () => [],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  'an array with a hole': () => [,],
  'an array of null': () => [null],
  'a date': () => new Date(Number.NaN),
  'a map': () => new Map([[1, 2]]),
  'no bytes': () => new Uint8Array(),
  '32 zeros': () => new Uint8Array(32),
  'detached bytes': detached,
  'bytes of another kind': () => new Float64Array(4),
  'a revoked proxy': () => revoked({}),
  'a revoked array': () => revoked([]),
  'a revoked function': () => revoked(() => undefined),
  'an object that cannot be looked at': () =>
    new Proxy(
      {},
      { get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap },
    ),
  'an array whose getter throws': () => Object.defineProperty([1], 0, { get: trap, enumerable: true }),
  'fields that are all null': () => new Proxy({}, { get: () => null }),
}

/** The ways in which a value takes each place of a call. */
const calls = (make: () => unknown): readonly (readonly unknown[])[] => [
  [make()],
  [make(), make()],
  [new Uint8Array(40), make()],
  [{}, make()],
  [[], make()],
]

/** The names that a function reads of what it is given. */
async function namesRead(call: (...given: readonly unknown[]) => unknown): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  const recorder = () =>
    new Proxy({}, { get: (_, name) => (typeof name === 'string' ? void names.add(name) : undefined) })
  for (const given of calls(recorder)) {
    try {
      await call(...given)
    } catch {
      // Only what was read is of interest.
    }
  }
  return names
}

test('all functions of all entries are found', () => {
  const names = everyFunction().map(([name]) => name)
  for (const name of [
    'main.openBytes',
    'main.x25519Kem.prepare',
    'aggregate.verifyTranscript',
    'interop.openAge',
  ]) {
    expect(names).toContain(name)
  }
  expect(names.length).toBeGreaterThan(130)
})

// It gives back what it is given, whatever that is: nothing of it is read.
const reading = everyFunction().filter(([name]) => name !== 'main.asJson')

test.each(reading)('%s answers or gives a typed error, whatever it is called with', async (_, call) => {
  const getters = [...(await namesRead(call))].map((name) => [name, { get: trap, enumerable: true }] as const)
  const kinds = {
    ...hostile,
    ...Object.fromEntries(
      getters.map(([name, getter]) => [`a throwing ${name}`, () => Object.defineProperty({}, name, getter)]),
    ),
  }
  const wrong: string[] = []
  for (const [name, make] of Object.entries(kinds)) {
    for (const given of calls(make)) {
      try {
        await call(...given)
      } catch (error) {
        if (!(error instanceof CryptoError)) wrong.push(`${name}, ${given.length} given: ${String(error)}`)
      }
    }
  }
  expect([...new Set(wrong)]).toEqual([])
})
