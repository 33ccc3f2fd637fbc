import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { fitSamples } from './fit.js'

const exports = new URL('../../../../../conformance/refine/exports.mjs', import.meta.url)
const { fitFile } = (await import(pathToFileURL(fileURLToPath(exports)).href)) as {
  fitFile(messages: readonly Uint8Array[]): Uint8Array
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return [...bytes]
}
type Field = readonly [number: number, size: number, base: number]
const time: Field = [253, 4, 0x86]
const define = (local: number, global: number, fields: readonly Field[]) =>
  Buffer.from([0x40 | local, 0, 0, global, 0, fields.length, ...fields.flat()])
/** Local messages: 0 record; 1 session of sport, start; 2 session of sport, end, elapsed; 3 session of sport. */
const definitions = [
  define(0, 20, [time]),
  define(1, 18, [
    [5, 1, 0],
    [2, 4, 0x86],
  ]),
  define(2, 18, [[5, 1, 0], time, [7, 4, 0x86]]),
  define(3, 18, [[5, 1, 0]]),
]
const noon = 1_100_000_000
const none = 0xffffffff
const record = (at: number) => Buffer.from([0, ...u32(at === none ? none : noon + at)])
const begun = (sport: number, start: number) => Buffer.from([1, sport, ...u32(noon + start)])
const ended = (sport: number, end: number, seconds: number) =>
  Buffer.from([2, sport, ...u32(noon + end), ...u32(1000 * seconds)])
const untimed = (sport: number) => Buffer.from([3, sport])
const file = (...messages: Uint8Array[]) => fitFile([...definitions, ...messages])
const read = (bytes: Uint8Array) =>
  fitSamples(bytes, { records: 100 }).map(({ activity, sport }) => [activity, sport])

test.each([
  [
    'each behind its records',
    [record(0), record(9), begun(5, 0), record(10), begun(2, 10), record(21), begun(1, 20)],
  ],
  ['all at the end', [record(0), record(9), record(10), record(21), begun(5, 0), begun(2, 10), begun(1, 20)]],
  [
    'in another order',
    [record(0), record(9), record(10), record(21), begun(1, 20), begun(5, 0), begun(2, 10)],
  ],
  [
    'with end and length',
    [record(0), record(9), record(10), record(21), ended(5, 10, 10), ended(2, 20, 10), ended(1, 30, 10)],
  ],
  [
    'without times, behind their records',
    [record(0), record(9), untimed(5), record(10), untimed(2), record(21), untimed(1)],
  ],
])('samples are of the session in whose time they lie: sessions %s', (_, messages) => {
  const want = [
    [0, 'swimming'],
    [0, 'swimming'],
    [1, 'cycling'],
    [2, 'running'],
  ]
  expect(read(file(...messages))).toEqual(want)
})

test('a sample without a time is of the session of the one before it; one before all is of the first', () => {
  expect(read(file(record(none), record(-1), record(12), record(none), begun(5, 0), begun(2, 10)))).toEqual([
    [0, 'swimming'],
    [0, 'swimming'],
    [1, 'cycling'],
    [1, 'cycling'],
  ])
})

test('where nothing says the sport of a session, none is told', () => {
  expect(read(file(record(0), record(1), untimed(5), untimed(2)))).toEqual([
    [0, 'swimming'],
    [0, 'swimming'],
  ])
  expect(read(file(record(none), untimed(5), untimed(2)))).toEqual([[0, null]])
  // 0xff is no sport: not that of the session before.
  expect(read(file(record(0), begun(5, 0), record(10), begun(0xff, 10)))).toEqual([
    [0, 'swimming'],
    [1, null],
  ])
})

test('files that follow each other go on counting; one session has all samples of its file', () => {
  const two = file(record(0), record(10), begun(5, 0), begun(2, 10))
  const one = file(record(0), record(99), begun(1, 50))
  expect(read(Buffer.concat([two, one, file(record(0)), two]))).toEqual([
    [0, 'swimming'],
    [1, 'cycling'],
    [2, 'running'],
    [2, 'running'],
    [3, null],
    [4, 'swimming'],
    [5, 'cycling'],
  ])
})

test('limits hold over all files, and for sessions', () => {
  const one = file(record(0), record(1))
  expect(() => fitSamples(Buffer.concat([one, one]), { records: 3 })).toThrow('too many samples')
  expect(fitSamples(Buffer.concat([one, one]), { records: 4 })).toHaveLength(4)
  const sessions = (count: number) => file(record(0), ...Array.from({ length: count }, () => untimed(1)))
  expect(fitSamples(sessions(65_535), { records: 3 })).toHaveLength(1)
  expect(() => fitSamples(sessions(65_536), { records: 3 })).toThrow('sessions')
})

test('a time that the device counts from its start is none', () => {
  const times = (...seconds: number[]) =>
    fitSamples(file(...seconds.map((each) => record(each - noon))), { records: 100 }).map((each) => each.time)
  expect(times(0, 100, 0x0fffffff, 0x10000000)).toEqual([null, null, null, '1998-07-03T21:24:16Z'])
})
