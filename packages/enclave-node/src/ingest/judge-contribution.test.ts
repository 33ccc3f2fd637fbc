import { generateKeyPairSync, sign } from 'node:crypto'
import { canonicalBytes, type JsonObject, sha256Digest } from '@sealpool/crypto'
import { type AuthenticitySource, createRowIndex } from '@sealpool/poc'
import type { BundledRefiner } from '@sealpool/refine'
import { type Job, type JobRuntime, type RunResult, SandboxError } from '@sealpool/sandbox'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import type { ContributionRow } from '../state/contribution-table.js'
import { judgeContribution } from './judge-contribution.js'
import type { ServedPool } from './served-pool.js'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const platform = {
  name: 'Plat',
  algorithm: 'EdDSA',
  jwk: { ...publicKey.export({ format: 'jwk' }) } as JsonObject,
}
const description = {
  id: 'steps',
  version: '1.0.0',
  issuers: [],
  sources: [{ kind: 'platform-signature', keys: [platform] }],
  examines: [],
}
const accepted = {
  valid: true,
  score: 1,
  authenticity: 1,
  ownership: 0,
  quality: 1,
  uniqueness: 1,
  attributes: {},
  refusal: null,
  evidence: [],
}
const code = 'steps authenticity ownership quality uniqueness'
const oneRun = { memoryBytes: 2 ** 26, timeMs: 1_000, outputBytes: 65_536 }
const limits = { proof: oneRun, refiner: oneRun }
const refinerCode = 'rows'
const refiner: BundledRefiner = {
  code: refinerCode,
  digest: sha256Digest(new TextEncoder().encode(refinerCode)),
  schema: {
    id: 'rows',
    version: '1.0.0',
    source: 'json',
    tables: {
      rows: { description: 'Rows.', columns: { row: { type: 'integer', description: 'Row.' } } },
    },
    notes: [],
  },
}

const steps = { payload: { steps: [1, 2, 3] }, issuer: 'Plat' }
const mark = (() => {
  for (let salt = 0; ; salt += 1) {
    const payload = { ...steps.payload, salt }
    const signature = sign(null, canonicalBytes(payload as JsonObject), privateKey)
    // Until both ways to write it differ.
    if (/[+/]/.test(signature.toString('base64'))) return { payload, signature }
  }
})()
const file = (signature: string) =>
  new TextEncoder().encode(JSON.stringify({ payload: mark.payload, issuer: 'Plat', signature }))

const oneRow = (): RunResult => ({ ok: true, output: { tables: { rows: [{ row: 1 }] } }, logs: [] })

/** A world whose proof answers, or throws, as told; counts how often the proof was asked. */
function world(
  evaluate: () => RunResult,
  rules: Partial<ServedPool> = {},
  described: Partial<typeof description> | { readonly sources: readonly AuthenticitySource[] } = {},
  refine: () => RunResult = oneRow,
) {
  const holders = new Map<string, string>()
  const held = createRowIndex({ key: new Uint8Array(32) })
  let asked = 0
  let refined = 0
  const runtime: JobRuntime = {
    name: 'told',
    isolation: 'none',
    run: async ({ code, entry }: Job) => {
      if (code === refinerCode) {
        if (entry === 'describe')
          return { ok: true, output: refiner.schema as unknown as JsonObject, logs: [] }
        refined += 1
        return refine()
      }
      if (entry === 'describe')
        return { ok: true, output: { ...description, ...described } as JsonObject, logs: [] }
      if (entry === 'examine') return { ok: true, output: { account: null, items: [{ day: 1 }] }, logs: [] }
      asked += 1
      return evaluate()
    },
    close: async () => undefined,
  }
  const pool = {
    address: `0x${'ab'.repeat(20)}`,
    verification: null,
    ...rules,
    poc: { code, digest: sha256Digest(new TextEncoder().encode(code)) },
    refiner,
  } as ServedPool
  const judge = async (id: string, bytes: Uint8Array) => {
    const row = { id, owner: `0x${'cd'.repeat(20)}` } as ContributionRow
    const opened = { bytes, mediaType: 'application/json' }
    const judged = await judgeContribution(row, pool, opened, {
      runtime,
      limits,
      fingerprintKey: new Uint8Array(32).fill(1),
      holderOf: async (fingerprint) => holders.get(fingerprint),
      at: 1_700_000_000,
      noveltyOf: async (content) => held.novelty(content),
      holdsAll: async (content) => held.novelty(content) === 0,
      accountKey: new Uint8Array(32).fill(2),
      accountHolder: async () => undefined,
      giveWay: async () => undefined,
    })
    if (judged.fingerprint !== undefined) holders.set(judged.fingerprint, id)
    if (judged.content !== undefined) held.add(judged.content)
    return judged.verdict
  }
  return { judge, asked: () => asked, refined: () => refined, held }
}
const readsBack = {
  kind: 'oauth-read-back',
  provider: 'example.org',
  url: 'https://api.example.org/me',
  account: { answer: '/id', export: '/account' },
  fields: [{ answer: '/steps', export: '/steps' }],
  maximumAgeSeconds: 600,
} as const

const accepts = (): RunResult => ({ ok: true, output: accepted, logs: [] })

test('what a platform signed is the same content however its signature is written', async () => {
  const { judge, asked } = world(accepts)
  expect(await judge('1', file(mark.signature.toString('base64url')))).toMatchObject({
    valid: true,
    score: 1,
  })
  const again = await judge('2', file(mark.signature.toString('base64')))
  expect(again).toMatchObject({ valid: false, refusal: { code: 'DUPLICATE_CONTENT', place: 'content' } })
  expect(asked()).toBe(1)
})

test('a part of what was signed is nothing new, where the proof names no items', async () => {
  const device = privateKeyToAccount(`0x${'11'.repeat(32)}`)
  const types = { Sample: [{ name: 'counter', type: 'uint64' }] }
  const records = await Promise.all(
    [1, 2, 3, 4].map(async (counter) => {
      const message = { counter }
      return { message, signature: await device.signTypedData({ types, primaryType: 'Sample', message }) }
    }),
  )
  const source = { kind: 'device-record', domain: {}, types, primaryType: 'Sample' } as const
  const sources = [{ ...source, devices: [{ name: 'Meter', address: device.address }] }]
  const { judge, asked, held } = world(accepts, {}, { sources })
  const part = (...numbers: readonly number[]) =>
    new TextEncoder().encode(JSON.stringify({ records: numbers.map((number) => records[number]) }))
  expect(await judge('1', part(0, 1))).toMatchObject({ valid: true })
  expect(await judge('2', part(2))).toMatchObject({ valid: true })
  expect(held.size).toBe(3)
  const refused = { valid: false, refusal: { code: 'DUPLICATE_CONTENT', place: 'content' } }
  expect(await judge('3', part(1))).toMatchObject(refused)
  // Held by two contributions together, by none of them as a whole.
  expect(await judge('4', part(0, 2))).toMatchObject(refused)
  expect(asked()).toBe(2)
  expect(await judge('5', part(0, 3))).toMatchObject({ valid: true })
  // A proof that names items has these compared, and nothing else.
  const named = world(accepts, {}, { sources, examines: ['items'] as never[] })
  expect(await named.judge('1', part(0))).toMatchObject({ valid: true })
  expect(named.held.size).toBe(1)
  expect(await named.judge('2', part(1))).toMatchObject({ valid: true })
})

test('what takes more work than the pool gives is judged as not signed', async () => {
  const told: unknown[] = []
  const findings = (rules: Partial<ServedPool>) => {
    const { judge } = world(accepts, rules)
    return judge('1', file(mark.signature.toString('base64url'))).then(({ evidence }) => told.push(evidence))
  }
  await findings({ verification: { signatures: 1, bytes: 2_000 } })
  await findings({ verification: { signatures: 0, bytes: 2_000 } })
  expect(told).toEqual([
    expect.arrayContaining([{ check: 'platform-signature.signature', result: 'pass', place: 'file' }]),
    [{ check: 'platform-signature.work', result: 'fail', place: 'TOO_MUCH_WORK' }],
  ])
})

test.each([
  ['depth', new RangeError('Maximum call stack size exceeded')],
  ['a value that nobody foresaw', new TypeError('x is undefined')],
  ['text that is none', new SyntaxError('Unexpected token')],
])('an error of the language (%s) costs one contribution and is no error of the pool', async (_, error) => {
  const { judge, asked } = world(() => {
    throw error
  })
  const verdict = await judge('1', file('AA'))
  expect(verdict).toMatchObject({ valid: false, score: 0, refusal: { code: 'PROOF_FAILED', place: 'proof' } })
  expect(asked()).toBe(2)
  expect(JSON.stringify(verdict)).not.toContain(error.message)
})

test('an error that does not come again costs nothing', async () => {
  let failures = 1
  const { judge } = world(() => {
    failures -= 1
    if (failures >= 0) throw new RangeError('once')
    return accepts()
  })
  expect(await judge('1', file('AA'))).toMatchObject({ valid: true })
})

test('what the proof refuses is not refined, and what it accepts is refined once', async () => {
  const refusing = world(() => ({
    ok: true,
    output: { ...accepted, valid: false, score: 0, refusal: { code: 'SHORT', place: 'x' } },
    logs: [],
  }))
  expect(await refusing.judge('1', file('AA'))).toMatchObject({ valid: false })
  expect([refusing.asked(), refusing.refined()]).toEqual([1, 0])
  const accepting = world(accepts)
  expect(await accepting.judge('1', file('AA'))).toMatchObject({ valid: true })
  expect([accepting.asked(), accepting.refined()]).toEqual([1, 1])
})

test.each([
  ['no row', { ok: true, output: { tables: { rows: [] } }, logs: [] }, 'REFINER_REFUSED', 'refiner.NO_ROWS'],
  [
    'a row that does not fit',
    { ok: true, output: { tables: { rows: [{ row: 0.5 }] } }, logs: [] },
    'REFINER_REFUSED',
    'refiner.VALUE_TYPE',
  ],
  [
    'no end',
    { ok: false, code: 'TIMEOUT', message: '', place: 'run' },
    'REFINER_TIMEOUT',
    'refiner.MAP_FAILED',
  ],
] as const)('what gives %s is refused, without a word of where in the file', async (_, end, code, place) => {
  const { judge, refined } = world(accepts, {}, {}, () => end as RunResult)
  expect(await judge('1', file('AA'))).toMatchObject({ valid: false, score: 0, refusal: { code, place } })
  expect(refined()).toBe(1)
})

test.each([
  ['an error of the language', new TypeError('x is undefined')],
  ['input that does not cross', new SandboxError('INPUT_NOT_JSON', 'input', 'a bigint')],
])('%s at the refiner costs one contribution, and a first time nothing', async (_, error) => {
  let failures = 2
  const { judge, refined } = world(accepts, {}, {}, () => {
    failures -= 1
    if (failures >= 0) throw error
    return oneRow()
  })
  const refusal = { code: 'REFINER_REFUSED', place: 'refiner.FAILED' }
  expect(await judge('1', file('AA'))).toMatchObject({ valid: false, refusal })
  expect(refined()).toBe(2)
  failures = 1
  expect(await judge('2', file('BB'))).toMatchObject({ valid: true })
})

const away = new SandboxError('RUNTIME_UNAVAILABLE', 'runtime', 'no sandbox')
const closed = new SandboxError('RUNTIME_CLOSED', 'runtime', 'the node stops')
const busy = Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN' })
test.each([
  ['a sandbox that is away', away, { cause: away }],
  ['a node that stops', closed, { cause: closed }],
  ['a machine without processes', busy, { message: 'spawn EAGAIN' }],
])('%s is no fault of a contribution', async (_, error, thrown) => {
  const { judge, asked } = world(() => {
    throw error
  })
  await expect(judge('1', file('AA'))).rejects.toMatchObject(thrown)
  expect(asked()).toBe(1)
  const refining = world(accepts, {}, {}, () => {
    throw error
  })
  const atRefiner = error === busy ? thrown : { code: (error as SandboxError).code }
  await expect(refining.judge('1', file('AA'))).rejects.toMatchObject(atRefiner)
  expect(refining.refined()).toBe(1)
})

test('a proof that asks for something to be read at a provider is refused before any code sees the file', async () => {
  const platformSource = { kind: 'platform-signature', keys: [] } as const
  for (const sources of [[readsBack], [platformSource, readsBack]]) {
    const { judge, asked } = world(accepts, {}, { sources })
    const bytes = new TextEncoder().encode('{"account":"a","steps":1}')
    expect(await judge('1', bytes)).toMatchObject({
      valid: false,
      refusal: { code: 'SOURCE_NOT_SERVED', place: 'poc.sources' },
    })
    expect(asked()).toBe(0)
  }
  const other = world(accepts, {}, { sources: [platformSource] })
  expect(await other.judge('1', file(''))).toMatchObject({ valid: true })
})
