import { ed25519 } from '@noble/curves/ed25519.js'
import { digestOf } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import {
  consistencyProof,
  cosign,
  emptyWitnessState,
  formatCheckpoint,
  formatNote,
  inclusionProof,
  leafHash,
  logEntryBytes,
  monitorLog,
  noteKey,
  parseNote,
  signNote,
  tilePath,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
  verifyLogged,
  witnessCheckpoint,
} from './index.js'

// Callers without types, and states that were kept as JSON, give anything inside the options. Verifications answer false; a monitor and
// a witness, who would look at nothing, refuse.

const secret = (n: number) => new Uint8Array(32).fill(n)
const log = noteKey('log.example', ed25519.getPublicKey(secret(1)))
const witness = noteKey('witness.example', ed25519.getPublicKey(secret(2)), 'cosignature')
const entries = ['a', 'b', 'c', 'd', 'e'].map((subject) =>
  logEntryBytes({
    format: 'sealpool/log-entry',
    version: 1,
    kind: 'measurement',
    subject,
    digest: digestOf(subject),
    at: '2026-11-20T12:00:00Z',
  }),
)
const hashes = entries.map(leafHash)
const [root, root2] = [treeRoot(hashes), treeRoot(hashes.slice(0, 2))]
const text = formatCheckpoint({ origin: log.name, size: 5, root, extensions: [] })
const checkpoint = formatNote({ text, signatures: [signNote(text, log.name, secret(1))] })

const code = (ask: () => unknown) => {
  try {
    return ask()
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}
const noHashes = [undefined, null, '', 'ab', 7, {}, [], new Uint8Array(31), new Array(32).fill(0)]
const noProofs = [
  undefined,
  null,
  '',
  7,
  {},
  new Array(3),
  ['ab'],
  [null],
  [new Uint8Array(31)],
  new Set(hashes),
]
const noSizes = [undefined, null, '2', -2, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2n, 2 ** 53, [2]]

describe('hostile values give false', () => {
  it.each([undefined, null, 7, 'claim'])('as the whole claim: %s', (claim) => {
    expect([
      code(() => verifyInclusion(claim as never)),
      code(() => verifyConsistency(claim as never)),
    ]).toEqual([false, false])
  })

  const inclusion = { leaf: hashes[1], index: 1, size: 5, proof: inclusionProof(hashes, 1), root }
  const verify = (change: object) => code(() => verifyInclusion({ ...inclusion, ...change } as never))
  it('to inclusion proofs', () => {
    expect(verify({})).toBe(true)
    for (const value of noHashes) {
      expect([value, verify({ leaf: value }), verify({ root: value })]).toEqual([value, false, false])
      expect(verify({ proof: [value, ...inclusion.proof.slice(1)] })).toBe(false)
    }
    for (const proof of noProofs) expect([proof, verify({ proof })]).toEqual([proof, false])
    for (const value of noSizes)
      expect([value, verify({ index: value }), verify({ size: value })]).toEqual([value, false, false])
    // Nor does a text of length 0 pass where there is nothing to prove.
    const only = { leaf: hashes[0], index: 0, size: 1, root: hashes[0] }
    expect([[], '', {}].map((proof) => verify({ ...only, proof }))).toEqual([true, false, false])
  })

  it('to consistency proofs', () => {
    const first = { size: 2, root: root2 }
    const claim = { first, second: { size: 5, root }, proof: consistencyProof(hashes, 2) }
    const ask = (change: object) => code(() => verifyConsistency({ ...claim, ...change } as never))
    expect(ask({})).toBe(true)
    for (const value of noHashes) {
      expect(ask({ first: { ...first, root: value } })).toBe(false)
      expect(ask({ second: { ...claim.second, root: value } })).toBe(false)
      expect(ask({ first: { size: 5, root: value }, second: { size: 5, root: value }, proof: [] })).toBe(
        false,
      )
    }
    for (const proof of noProofs) expect([proof, ask({ proof })]).toEqual([proof, false])
    for (const size of noSizes) {
      expect(ask({ first: { ...first, size } })).toBe(false)
      expect(ask({ second: { ...claim.second, size } })).toBe(false)
    }
    for (const none of [undefined, null, 7])
      expect([ask({ first: none }), ask({ second: none })]).toEqual([false, false])
  })

  it('to whole entries, but what is no entry, no trust or no moment is the caller’s mistake', () => {
    const trust = { log, witnesses: [witness], quorum: 0 }
    const good = {
      entry: entries[1],
      index: 1,
      proof: inclusionProof(hashes, 1),
      checkpoint,
      trust,
      at: new Date('2026-11-20T12:00:00Z'),
    }
    const ask = (change: object) => code(() => verifyLogged({ ...good, ...change } as never).ok)
    expect(ask({})).toBe(true)
    for (const proof of noProofs) expect([proof, ask({ proof })]).toEqual([proof, false])
    for (const index of noSizes) expect([index, ask({ index })]).toEqual([index, false])
    const key = { ...log, publicKey: 'ab' }
    for (const change of [
      ...[undefined, null, '', '2026-11-20', new Date(Number.NaN)].map((at) => ({ at })),
      ...[undefined, null, 'a', []].map((entry) => ({ entry })),
      ...[undefined, null, 7].map((none) => ({ trust: none })),
      ...[undefined, null, {}, key, { ...log, keyId: null }].map((one) => ({
        trust: { ...trust, log: one },
      })),
      ...[undefined, null, {}, [null], [key], new Array(1)].map((witnesses) => ({
        trust: { ...trust, witnesses },
      })),
      ...['1', null, -1, Number.NaN].map((age) => ({ trust: { ...trust, maximumAgeSeconds: age } })),
      { trust: { ...trust, quorum: undefined } },
    ])
      expect([change, ask(change)]).toEqual([change, 'BAD_ARGUMENT'])
  })
})

describe('a monitor', () => {
  const round = (change: object) =>
    code(
      () =>
        monitorLog({
          state: emptyWitnessState,
          checkpoint,
          log,
          entries,
          known: () => false,
          ...change,
        } as never).alerts.length,
    )

  it('knows only what it is told to be known', () => {
    expect([round({}), round({ known: () => true })]).toEqual([5, 0])
    for (const answer of [undefined, null, {}, [], 1, 'true', new Boolean(true)])
      expect([answer, round({ known: () => answer })]).toEqual([answer, 5])
    expect(round({ known: async () => false })).toBe('BAD_ARGUMENT')
    expect(round({ known: async () => true })).toBe('BAD_ARGUMENT')
  })

  it('and a witness refuse a key of the log that has lost a part, and what can say nothing', () => {
    const witnessed = (change: object) =>
      code(() =>
        witnessCheckpoint({
          state: emptyWitnessState,
          note: checkpoint,
          log,
          proof: [],
          time: 1,
          name: witness.name,
          privateKey: secret(2),
          ...change,
        } as never),
      )
    expect(witnessed({})).toMatchObject({ answer: 'cosigned' })
    for (const one of [undefined, null, 7, {}, { ...log, name: undefined }, { ...log, publicKey: 'ab' }])
      expect([one, round({ log: one }), witnessed({ log: one })]).toEqual([
        one,
        'BAD_ARGUMENT',
        'BAD_ARGUMENT',
      ])
    // Asked before anything else: a round without new entries would not need it.
    const last = { size: 5, root }
    for (const known of [undefined, null, true, ['a'], new Set(['a'])])
      expect([known, round({ known }), round({ known, state: last })]).toEqual([
        known,
        'BAD_ARGUMENT',
        'BAD_ARGUMENT',
      ])
    for (const name of [undefined, null, 7, ['w']])
      expect([name, witnessed({ name }), code(() => noteKey(name as never, log.publicKey))]).toEqual([
        name,
        'BAD_ARGUMENT',
        'BAD_ARGUMENT',
      ])
  })

  it('and a witness refuse a state that has lost its size or its root', () => {
    const state = { size: 2, root: root2 }
    const cosigned = (given: unknown) =>
      code(() =>
        witnessCheckpoint({
          state: given,
          note: checkpoint,
          log,
          proof: consistencyProof(hashes, 2),
          time: 1,
          name: witness.name,
          privateKey: secret(2),
        } as never),
      )
    expect([round({ state }), cosigned(state)]).toEqual([3, expect.objectContaining({ answer: 'cosigned' })])
    for (const given of [
      ...[undefined, null, 7, {}, { root }].map((one) => one),
      ...noSizes.map((size) => ({ ...state, size })),
      ...noHashes.map((one) => ({ ...state, root: one })),
    ])
      expect([given, round({ state: given }), cosigned(given)]).toEqual([
        given,
        'BAD_ARGUMENT',
        'BAD_ARGUMENT',
      ])
    for (const given of [undefined, null, 'a', ['a'], new Array(5)])
      expect(round({ entries: given })).toBe('BAD_ARGUMENT')
  })
})

describe('what cannot be signed or named', () => {
  it('is BAD_ARGUMENT', () => {
    const body = parseNote(checkpoint).text
    for (const time of [undefined, null, Number.NaN, -1, 1.5, '1', Number.POSITIVE_INFINITY])
      expect([time, code(() => cosign(body, 'w', time as never, secret(2)))]).toEqual([time, 'BAD_ARGUMENT'])
    for (const key of [new Uint8Array(31), new Uint8Array(0), new Uint8Array(64)]) {
      expect(code(() => cosign(body, 'w', 1, key))).toBe('BAD_ARGUMENT')
      expect(code(() => signNote(body, 'w', key))).toBe('BAD_ARGUMENT')
    }
    for (const width of [null, Number.NaN, 0, 1.5, 257, '1'])
      expect([width, code(() => tilePath(0, 0, width as never))]).toEqual([width, 'BAD_ARGUMENT'])
  })
})
