import { expect, test } from 'vitest'
import { CryptoError } from './errors.js'
import { callsOfCommittees } from './testing/valid-calls-of-committees.js'
import { callsOfMain } from './testing/valid-calls-of-main.js'
import { callsOfOtherEntries } from './testing/valid-calls-of-other-entries.js'

// That every exported function is among these is held by every-field.test.ts.
const calls = { ...callsOfMain, ...callsOfCommittees, ...callsOfOtherEntries }
type Fields = Readonly<Record<string, unknown>>

/** The same object, one field of which a spread would lose, or which could answer otherwise when it is read again. */
const shapes: Readonly<Record<string, (fields: Fields, name: string) => object>> = {
  'an instance whose class has it as a getter': (fields, name) => {
    const { [name]: value, ...rest } = fields
    class Mine {}
    Object.defineProperty(Mine.prototype, name, { get: () => value })
    return Object.assign(new Mine(), rest)
  },
  'an instance of a class without a root': (fields, name) => {
    const { [name]: value, ...rest } = fields
    const prototype = Object.defineProperty(Object.create(null), name, { get: () => value })
    return Object.assign(Object.create(prototype), rest)
  },
  'an heir of it': (fields, name) => {
    const { [name]: value, ...rest } = fields
    return Object.assign(Object.create({ [name]: value }), rest)
  },
  'an object that hides it': (fields, name) =>
    Object.defineProperty({ ...fields }, name, { enumerable: false }),
  'an object that computes it': (fields, name) => {
    const value = fields[name]
    return Object.defineProperty({ ...fields }, name, { get: () => value })
  },
}

async function outcomeOf(call: (given: never) => unknown, given: object): Promise<unknown> {
  try {
    const answer: unknown = await call(given as never)
    return answer === false ? 'not true' : 'accepted'
  } catch (error) {
    return error instanceof CryptoError ? error.code : error
  }
}

/**
 * Values that are parsed, every field of which must be there: without one they are refused as what they are. One that is computed is
 * read once, and the answer holds what was read.
 */
const parsed = new Set(
  'parseReg readKE2 verifyStatement parseSigned onchain openBackup2 parseWalletKeyBackup conclude conclude2 verifyTranscript currentRecipient recipientOfEpoch currentKeyEpoch keyEpochsRevision retireKeyEpoch combineInputs parseAggregateDefinition parseThresholdKey parseThresholdSession thresholdSessionDigest parseKeySet keySetDigest'.split(
    ' ',
  ),
)

test.each(Object.entries(calls))('%s takes plain objects alone', async (name, [call, valid]) => {
  const fields: Fields = { ...valid }
  const taken: string[] = []
  for (const field of Object.keys(fields)) {
    for (const [shape, make] of Object.entries(shapes)) {
      if (parsed.has(name) && shape === 'an object that computes it') continue
      const outcome = await outcomeOf(call, make(fields, field))
      const refused = parsed.has(name) ? outcome !== 'accepted' : outcome === 'OPTION_INVALID'
      if (!refused && outcome !== 'not true') taken.push(`${field}, ${shape}: ${String(outcome)}`)
    }
  }
  expect(taken).toEqual([])
})

/** Objects among the options that are data; the others (sources, recipients, KEMs) are called, and may be instances. */
const data =
  'context expect factor typedData statement share session register definition transcript envelope key'.split(
    ' ',
  )
const rows = Object.entries(calls).flatMap(([name, [call, valid]]) =>
  Object.entries(valid).flatMap(([field, value]: readonly [string, unknown]) =>
    data.includes(field) && typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)
      ? [[name, field, call, valid as Fields, value as Fields] as const]
      : [],
  ),
)

test.each(rows)('%s takes a plain %s alone', async (name, field, call, valid, value) => {
  const taken: string[] = []
  for (const inner of Object.keys(value)) {
    for (const [shape, make] of Object.entries(shapes)) {
      // What is parsed reads each field once.
      if (shape === 'an object that computes it') continue
      const outcome = await outcomeOf(call, { ...valid, [field]: make(value, inner) })
      if (outcome === 'accepted' || outcome instanceof Error)
        taken.push(`${inner}, ${shape}: ${String(outcome)}`)
    }
  }
  expect(taken, name).toEqual([])
})

test('a commitment that a class has as a getter is not replaced by one of our own', async () => {
  const { context, ...rest } = Object(callsOfMain['sealBytes']?.[1]) as { readonly context: Fields }
  const of = (make: (fields: Fields, name: string) => object) =>
    outcomeOf((given) => callsOfMain['sealBytes']?.[0](given), {
      ...rest,
      context: make({ ...context, commitment: `sha256:${'ef'.repeat(32)}` }, 'commitment'),
    })
  for (const make of Object.values(shapes)) expect(await of(make)).toBe('CONTEXT_INVALID')
  expect(await of((fields) => fields)).toBe('accepted')
})
