import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { digestOf } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import {
  addSignatures,
  type Checkpoint,
  consistencyProof,
  cosign,
  cosignatureTime,
  emptyWitnessState,
  formatCheckpoint,
  formatEntryBundle,
  formatNote,
  formatNoteKey,
  inclusionProof,
  knownDigests,
  type LogEntry,
  leafHash,
  logEntryBytes,
  monitorLog,
  noteKey,
  openCheckpoint,
  parseCheckpoint,
  parseEntryBundle,
  parseLogEntry,
  parseNote,
  parseNoteKey,
  signNote,
  tilePath,
  treeRoot,
  treeTiles,
  verifyConsistency,
  verifyInclusion,
  verifyLogged,
  verifyNote,
  witnessCheckpoint,
} from './index.js'

const code = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}

describe('the Merkle tree', () => {
  // Leaves and roots of certificate-transparency's merkle tree tests (RFC 6962).
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ]
  const hashes = leaves.map((hex) => leafHash(hexToBytes(hex)))
  it.each([
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('has the published root for %i leaves', (count, root) => {
    expect(bytesToHex(treeRoot(hashes.slice(0, count)))).toBe(root)
  })

  it('has the published empty root', () => {
    expect(bytesToHex(treeRoot([]))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  const many = Array.from({ length: 70 }, (_, i) => leafHash(Uint8Array.of(i)))
  it('proves every leaf and every earlier size, and nothing that was changed', () => {
    for (let size = 1; size <= many.length; size += 1) {
      const tree = many.slice(0, size)
      const root = treeRoot(tree)
      for (let index = 0; index < size; index += 3) {
        const leaf = tree[index] ?? new Uint8Array()
        const proof = inclusionProof(tree, index)
        const claim = { leaf, index, size, proof, root }
        expect(verifyInclusion(claim)).toBe(true)
        expect(verifyInclusion({ ...claim, index: index + 1 })).toBe(false)
        expect(verifyInclusion({ ...claim, leaf: leafHash(Uint8Array.of(255)) })).toBe(false)
        expect(verifyInclusion({ ...claim, proof: [...proof, root] })).toBe(false)
        if (proof.length > 0) expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false)
      }
      for (let before = 0; before <= size; before += 2) {
        const first = { size: before, root: treeRoot(many.slice(0, before)) }
        const proof = consistencyProof(tree, before)
        const claim = { first, second: { size, root }, proof }
        expect([size, before, verifyConsistency(claim)]).toEqual([size, before, true])
        expect(verifyConsistency({ ...claim, proof: [...proof, root] })).toBe(false)
        const other = { size: before, root: leafHash(Uint8Array.of(9, 9)) }
        expect(verifyConsistency({ ...claim, first: other })).toBe(false)
        // Every tree continues the empty one.
        expect(verifyConsistency({ ...claim, second: { ...other, size } })).toBe(before === 0)
      }
    }
  })

  it('answers hostile numbers with false and impossible questions with an error', () => {
    const root = treeRoot(many)
    const leaf = many[0] ?? root
    for (const [index, size] of [
      [-1, 3],
      [3, 3],
      [0.5, 3],
      [0, 2 ** 60],
      [Number.NaN, 1],
    ] as const) {
      expect(verifyInclusion({ leaf, index, size, proof: [], root })).toBe(false)
    }
    expect(verifyInclusion({ leaf: root, index: 0, size: 2, proof: [new Uint8Array(31)], root })).toBe(false)
    expect(verifyConsistency({ first: { size: 5, root }, second: { size: 4, root }, proof: [] })).toBe(false)
    expect(code(() => inclusionProof(many, 70))).toBe('BAD_ARGUMENT')
    expect(code(() => consistencyProof(many, 71))).toBe('BAD_ARGUMENT')
  })
})

describe('signed notes', () => {
  it('verifies the example of golang.org/x/mod/sumdb/note', () => {
    const key = parseNoteKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
    const note = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`
    expect(verifyNote(parseNote(note), key)).toBe(true)
    expect(formatNote(parseNote(note))).toBe(note)
    expect(formatNoteKey(key)).toBe('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
    expect(verifyNote(parseNote(note.replace('answer', 'Answer')), key)).toBe(false)
  })

  it('verifies a checkpoint that Sigsum published', () => {
    const key = parseNoteKey('sigsum.org:testonly+8de2c54b+AYzzrIWq3UKJHFrprvJyRMsqVGojEvgAIKrT8q4a9zMU')
    const note = `sigsum.org:testonly
23
HSt6W8ve4/36xAIf04qDOqaKLaKqSOUqKxLNrkK74+g=

— sigsum.org:testonly jeLFS4WQDEeTavbiYArHzCQUPXbQ1Y/V8/dKJlBxqOAY4eLhSh3uWNJ8YXp1vs/zR4SDNHI+6UybLmHmFlg/VSf5OAs=
`
    expect(openCheckpoint(note, key)?.checkpoint).toMatchObject({ origin: 'sigsum.org:testonly', size: 23 })
    expect(openCheckpoint(note.replace('23', '24'), key)).toBeUndefined()
  })

  it.each([
    'no signature',
    'text\n\n',
    'text\n\nno dash\n',
    'text\n\n— name notbase64!\n',
    'text\n\n— name AAA=\n',
    'text\n\n— two names AAAAAAAA\n',
    'te\u0001xt\n\n— name AAAAAAAAAA==\n',
    'text\n\n— name AAAAAAAAAA==',
  ])('refuses %j', (note) => {
    expect(code(() => parseNote(note))).toBe('BAD_LOG')
  })

  it.each([
    'name',
    'name+00000000+AQ==',
    'PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    'PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  ])('refuses the key %j', (key) => {
    expect(code(() => parseNoteKey(key))).toBe('BAD_LOG')
  })

  it.each(['', 'a\n', 'a\n1\n', 'a\n01\nAAAA\n', 'a\n-1\nAAAA\n', 'a\n1\nAAAA\n', '\n1\nAAAA\n'])(
    'refuses the checkpoint %j',
    (text) => {
      expect(code(() => parseCheckpoint(text))).toBe('BAD_LOG')
    },
  )

  it('is total', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        for (const read of [parseNote, parseNoteKey, parseCheckpoint]) {
          expect(['ok', 'BAD_LOG']).toContain(code(() => read(text)))
        }
      }),
    )
  })
})

describe('tiles', () => {
  it('are named as tlog-tiles names them', () => {
    expect(tilePath(0, 1234067)).toBe('tile/0/x001/x234/067')
    expect(tilePath(1, 0, 1)).toBe('tile/1/000.p/1')
    expect(tilePath('entries', 273)).toBe('tile/entries/273')
    expect(code(() => tilePath(0, -1))).toBe('BAD_ARGUMENT')
    for (const level of [-1, 6, 0.5, Number.NaN]) expect(code(() => tilePath(level, 0))).toBe('BAD_ARGUMENT')
    for (const index of [0.5, Number.NaN, 2 ** 53])
      expect(code(() => tilePath(0, index))).toBe('BAD_ARGUMENT')
  })

  it('hold the tree', () => {
    const hashes = Array.from({ length: 300 }, (_, i) => leafHash(Uint8Array.of(i >> 8, i)))
    const tiles = treeTiles(hashes)
    expect([...tiles.keys()]).toEqual(['tile/0/000', 'tile/0/001.p/44', 'tile/1/000.p/1'])
    expect(tiles.get('tile/1/000.p/1')).toEqual(treeRoot(hashes.slice(0, 256)))
  })

  it('bundle entries', () => {
    const entries = [new Uint8Array(), Uint8Array.of(1), new Uint8Array(300).fill(7)]
    expect(parseEntryBundle(formatEntryBundle(entries))).toEqual(entries)
    expect(code(() => parseEntryBundle(Uint8Array.of(0, 2, 1)))).toBe('BAD_LOG')
    expect(code(() => formatEntryBundle([new Uint8Array(70_000)]))).toBe('BAD_ARGUMENT')
  })
})

describe('a log with witnesses and a monitor', () => {
  const secret = (n: number) => new Uint8Array(32).fill(n)
  const log = noteKey('log.example/sealpool', ed25519.getPublicKey(secret(1)))
  const witness = noteKey('witness.example/1', ed25519.getPublicKey(secret(2)), 'cosignature')
  const entry = (subject: string): LogEntry => ({
    format: 'sealpool/log-entry',
    version: 1,
    kind: 'measurement',
    subject,
    digest: digestOf(subject),
    at: '2026-11-20T12:00:00Z',
  })
  const entries = ['a', 'b', 'c', 'd', 'e'].map((subject) => logEntryBytes(entry(subject)))
  const hashes = entries.map(leafHash)
  const sign = (checkpoint: Checkpoint, key = secret(1)) => {
    const text = formatCheckpoint(checkpoint)
    return formatNote({ text, signatures: [signNote(text, log.name, key)] })
  }
  const checkpointOf = (list: readonly Uint8Array[]): Checkpoint => ({
    origin: log.name,
    size: list.length,
    root: treeRoot(list),
    extensions: [],
  })
  const ask = (note: string, state = emptyWitnessState, proof: readonly Uint8Array[] = []) =>
    witnessCheckpoint({
      state,
      note,
      log,
      proof,
      time: 1_800_000_000,
      name: witness.name,
      privateKey: secret(2),
    })
  const three = ask(sign(checkpointOf(hashes.slice(0, 3))))
  if (three.answer !== 'cosigned') throw new Error('the first checkpoint must be cosigned')

  it('witnesses cosign what continues the tree, and refuse forks, rewriting and strangers', () => {
    const five = sign(checkpointOf(hashes))
    const next = ask(five, three.state, consistencyProof(hashes, 3))
    expect(next.answer).toBe('cosigned')
    expect(ask(five, three.state, [])).toEqual({ answer: 'refused', reason: 'inconsistent' })
    const fork = sign(checkpointOf([...hashes.slice(0, 2), leafHash(Uint8Array.of(1))]))
    expect(ask(fork, three.state)).toEqual({ answer: 'refused', reason: 'fork' })
    expect(ask(sign(checkpointOf(hashes.slice(0, 2))), three.state)).toEqual({
      answer: 'refused',
      reason: 'older',
    })
    expect(ask(sign(checkpointOf(hashes), secret(9)))).toEqual({ answer: 'refused', reason: 'not-signed' })
    const other = { ...checkpointOf(hashes), origin: 'another.log' }
    expect(ask(sign(other))).toEqual({ answer: 'refused', reason: 'not-signed' })
  })

  it('writes no entry about what is no Unicode text', () => {
    expect(code(() => logEntryBytes({ ...entry('a'), subject: 'a\udfff' }))).toBe('BAD_LOG')
    expect(parseLogEntry(logEntryBytes(entry('😀')))).toEqual(entry('😀'))
  })

  it('verifies an entry with its witnesses, and not without', () => {
    const at = new Date(1_800_000_100_000)
    const trust = { log, witnesses: [witness], quorum: 1, maximumAgeSeconds: 3600 }
    const question = {
      entry: entries[1] ?? new Uint8Array(),
      index: 1,
      proof: inclusionProof(hashes.slice(0, 3), 1),
      checkpoint: three.note,
      trust,
      at,
    }
    expect(verifyLogged(question).ok).toBe(true)
    const failing = (changes: Partial<Parameters<typeof verifyLogged>[0]>) =>
      verifyLogged({ ...question, ...changes })
        .checks.filter(({ result }) => result === 'fail')
        .map(({ id }) => id)
    expect(failing({ index: 2 })).toEqual(['inclusion'])
    expect(failing({ entry: entries[2] ?? new Uint8Array() })).toEqual(['inclusion'])
    expect(failing({ at: new Date(1_800_009_999_000) })).toEqual(['witnesses'])
    expect(failing({ at: new Date(1_799_999_999_000) })).toEqual(['witnesses'])
    expect(failing({ trust: { ...trust, witnesses: [witness, witness], quorum: 2 } })).toEqual(['witnesses'])
    expect(failing({ checkpoint: sign(checkpointOf(hashes.slice(0, 3))) })).toEqual(['witnesses'])
    for (const quorum of [-1, 0.5, Number.NaN])
      expect([quorum, code(() => failing({ trust: { ...trust, quorum } }))]).toEqual([quorum, 'BAD_ARGUMENT'])
    expect(code(() => failing({ at: new Date(Number.NaN) }))).toBe('BAD_ARGUMENT')
    // One key under two names is one witness, and a log is no witness of itself.
    const body = parseNote(sign(checkpointOf(hashes.slice(0, 3)))).text
    const cosigned = (...all: [string, number, number][]) =>
      addSignatures(
        sign(checkpointOf(hashes.slice(0, 3))),
        all.map(([name, time, key]) => cosign(body, name, time, secret(key))),
      )
    const now = Math.floor(at.getTime() / 1000)
    const keyOf = (name: string, key: number) =>
      noteKey(name, ed25519.getPublicKey(secret(key)), 'cosignature')
    const two = (first: number, second: number) =>
      failing({
        checkpoint: cosigned(['w1', now, first], ['w2', now, second]),
        trust: { ...trust, witnesses: [keyOf('w1', first), keyOf('w2', second)], quorum: 2 },
      })
    expect([two(4, 5), two(4, 4), two(4, 1)]).toEqual([[], ['witnesses'], ['witnesses']])
    // The newest cosignature that is not from the future counts, wherever it stands.
    for (const times of [
      [now - 9999, now],
      [now, now - 9999],
      [now + 60, now],
      [now, now + 60],
    ]) {
      const checkpoint = cosigned(...times.map((time): [string, number, number] => [witness.name, time, 2]))
      expect([times, failing({ checkpoint })]).toEqual([times, []])
    }
    expect(failing({ checkpoint: cosigned([witness.name, now + 60, 2]) })).toEqual(['witnesses'])
    expect(failing({ trust: { ...trust, log: noteKey(log.name, ed25519.getPublicKey(secret(9))) } })).toEqual(
      ['checkpoint'],
    )
    // A witness's key signs cosignatures only, and a log's key is no witness.
    const text = parseNote(three.note).text
    const swapped = addSignatures(sign(checkpointOf(hashes)), [signNote(text, witness.name, secret(2))])
    expect(cosignatureTime(parseNote(swapped), witness)).toBeUndefined()
    expect(verifyNote(parseNote(three.note), witness)).toBe(false)
    expect(cosignatureTime(parseNote(three.note), log)).toBeUndefined()
    const early = addSignatures(sign(checkpointOf(hashes)), [cosign(text, witness.name, 5, secret(2))])
    expect(cosignatureTime(parseNote(early), witness)).toBeUndefined()
  })

  it('monitors alert on a planted entry within one round, and on a log that rewrites', () => {
    const known = knownDigests(['a', 'b', 'c', 'd'].map((subject) => digestOf(subject)))
    const first = monitorLog({
      state: emptyWitnessState,
      checkpoint: three.note,
      log,
      entries: entries.slice(0, 3),
      known,
    })
    expect(first).toMatchObject({ alerts: [], state: { size: 3 } })
    const round = (list: readonly Uint8Array[], note = sign(checkpointOf(list.map(leafHash)))) =>
      monitorLog({ state: first.state, checkpoint: note, log, entries: list, known }).alerts
    expect(round(entries)).toMatchObject([{ alert: 'unknown-entry', index: 4, entry: { subject: 'e' } }])
    expect(round([...entries.slice(0, 4), Uint8Array.of(1)])).toEqual([
      { alert: 'unreadable-entry', index: 4 },
    ])
    expect(round(entries.slice(0, 2))).toEqual([{ alert: 'shrunk' }])
    expect(round([...entries].reverse())).toEqual([{ alert: 'rewritten' }])
    expect(round(entries, sign(checkpointOf(hashes.slice(0, 4).reverse())))).toEqual([
      { alert: 'wrong-root' },
    ])
    expect(round(entries, sign(checkpointOf(hashes), secret(9)))).toEqual([{ alert: 'not-signed' }])
  })

  it('entries have one form', () => {
    expect(parseLogEntry(entries[0] ?? new Uint8Array())).toEqual(entry('a'))
    for (const bad of [
      { ...entry('a'), more: 1 },
      { ...entry('a'), kind: 'x' },
      { ...entry('a'), at: '2026-02-30T00:00:00Z' },
    ]) {
      expect(code(() => logEntryBytes(bad as LogEntry))).toBe('BAD_LOG')
    }
    expect(code(() => parseLogEntry(new TextEncoder().encode(`${JSON.stringify(entry('a'))} `)))).toBe(
      'BAD_LOG',
    )
  })
})
