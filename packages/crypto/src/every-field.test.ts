import { expect, test } from 'vitest'
import * as aggregate from './aggregate/index.js'
import { CryptoError } from './errors.js'
import * as main from './index.js'
import * as interop from './interop/index.js'
import * as postQuantum from './post-quantum/index.js'
import * as recovery from './recovery/index.js'
import { callsOfCommittees } from './testing/valid-calls-of-committees.js'
import { callsOfMain } from './testing/valid-calls-of-main.js'
import { callsOfOtherEntries } from './testing/valid-calls-of-other-entries.js'
import * as threshold from './threshold/index.js'

const calls = { ...callsOfMain, ...callsOfCommittees, ...callsOfOtherEntries }

const trap = () => {
  throw new Error('a getter of the caller')
}
/** What may stand in the place of one field. Each is data: what throws by being looked at is in every-export.test.ts. */
const spoiled: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  1.5,
  Number.NaN,
  2n ** 300n,
  '',
  'x',
  '__proto__',
  Symbol('given'),
  true,
  () => undefined,
  {},
  Object.create(null),
  [],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  [,],
  [null],
  new Map(),
  new Uint8Array(),
  new Uint8Array(33),
  new Uint16Array(32),
  { toString: null, valueOf: null },
  { toString: trap },
]

/** The paths of a value's fields; of a list the first two items. What is taken apart of this package (a KEM) or of another is no data. */
function pathsOf(value: unknown, depth = 0): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || depth > 3) return []
  const names = Array.isArray(value) ? Object.keys(value).slice(0, 2) : Object.keys(value)
  return names.flatMap((name) => {
    const inner = (value as Readonly<Record<string, unknown>>)[name]
    const deeper = ['kem', 'kems', 'openpgp'].includes(name) ? [] : pathsOf(inner, depth + 1)
    return [[name], ...deeper.map((rest) => [name, ...rest])]
  })
}

function withField(value: unknown, [name, ...rest]: readonly string[], spoil: unknown): unknown {
  if (name === undefined) return spoil
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  copy[name] = withField(copy[name], rest, spoil)
  return copy
}

/** Their calls take half a second each: of their fields every fifth value is tried. */
const slow =
  /^(verifyTranscript|openPasswordFile|sealPasswordFile|dtp|cap|claimInputs|conclude|encryptInput|complain|openShare|createBackup)/

test.each(Object.entries(calls))(
  '%s answers or gives a typed error, whichever field is spoiled',
  async (name, [call, valid]) => {
    await (async () => call(valid as never))()
    const wrong: string[] = []
    let turn = 0
    for (const path of pathsOf(valid)) {
      for (const [index, spoil] of spoiled.entries()) {
        if (slow.test(name) && (turn++ + path.length) % 7 !== 0) continue
        try {
          await call(withField(valid, path, spoil) as never)
        } catch (error) {
          if (!(error instanceof CryptoError)) wrong.push(`${path.join('.')} #${index}: ${String(error)}`)
        }
      }
    }
    expect(wrong).toEqual([])
  },
  // Thousands of calls, some of which decrypt: much longer than alone on a machine that does other things.
  240_000,
)

/** Functions that take bytes, texts, numbers and lists and read no field of them: every-export.test.ts spoils those whole. */
const withoutFields = new Set(
  'asJson canonicalBytes digestOf parseCanonical canonicalize merkleProof merkleRoot merkleMultiProof bytesToDigest digestToBytes digestToHex hexToDigest parseDigest sha256Digest parseAddress decodeBase64Url encodeBase64Url concatBytes equalBytes decodeHex encodeHex deriveKeyPair platformRandom deriveNodeKeys keyIdOf publicKeyOf decodeArmor encodeArmor parseHeader listRecipients decodeAgeIdentity decodeAgeRecipient encodeAgeIdentity encodeAgeRecipient deriveXwingKeyPair readRecoveryCode drawRecoveryCode memberPublicKey'.split(
    ' ',
  ),
)

test('every function of every entry is called in the table, or reads no fields', () => {
  const table = Object.values(calls).map(([call]) => String(call))
  const missing = [main, aggregate, interop, postQuantum, recovery, threshold].flatMap((entry) =>
    Object.entries(entry).flatMap(([name, value]) => {
      if (typeof value !== 'function' || value === CryptoError || withoutFields.has(name)) return []
      return table.some((text) => text.includes(`.${name}(`)) ? [] : [name]
    }),
  )
  expect(missing).toEqual([])
})
