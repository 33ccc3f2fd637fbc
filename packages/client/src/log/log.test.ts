import type { Hex } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { logTrust, measurementEntry, publicLog } from '../testing/public-log.js'
import { at, measurement } from '../testing/simulated-pool.js'
import { type LoggedMeasurement, requireLogged } from './require-logged.js'
import { type TiledLogOptions, tiledLogSource } from './tiled-log-source.js'

const other: Hex = `0x${'77'.repeat(32)}`
const entries = [measurementEntry(other), measurementEntry(measurement), measurementEntry(other, 'newer')]
const log = publicLog(entries)
const good = log.answer(1)
const ask = (answer: LoggedMeasurement | undefined, when = at) =>
  requireLogged({ trust: logTrust, source: async () => answer })(measurement, when)

describe('a measurement that must stand in a public log', () => {
  test('passes with its entry', async () => {
    expect(await ask(good)).toEqual({ result: 'pass', detail: 'Entry 1: enclave-node 0.1.0' })
  })

  test.each<[string, LoggedMeasurement | undefined, RegExp]>([
    ['no entry', undefined, /no entry/],
    ['an entry on other code', log.answer(0), /something else/],
    ['an entry of another place', { ...good, index: 2 }, /path does not lead/],
    ['a proof of another entry', { ...good, proof: log.answer(2).proof }, /path does not lead/],
    ['an entry that is not in the tree', { ...good, entry: measurementEntry(measurement, 'forged') }, /path/],
    ['a checkpoint that no witness saw', { ...good, checkpoint: log.uncosigned }, /witness/],
    ['a checkpoint that is none', { ...good, checkpoint: 'x' }, /cannot be read/],
    ['an entry that is none', { ...good, entry: new Uint8Array([1]) }, /cannot be read/],
  ])('fails with %s', async (_name, answer, why) => {
    const { result, detail } = await ask(answer)
    expect(result).toBe('fail')
    expect(detail).toMatch(why)
  })

  test('fails with a tree that the witnesses have not seen lately', async () => {
    expect((await ask(good, new Date(at.getTime() + 2 * 86_400_000))).result).toBe('fail')
  })

  test.each<[string, unknown, Date, string]>([
    ['a trust that has lost its witnesses', { ...logTrust, witnesses: undefined }, at, 'trust'],
    ['a trust that was kept as JSON', JSON.parse(JSON.stringify(logTrust)), at, 'trust'],
    ['no trust', null, at, 'trust'],
    ['a trust that has lost its quorum', { ...logTrust, quorum: undefined }, at, 'trust.quorum'],
    ['no moment', logTrust, new Date(Number.NaN), 'options.at'],
  ])('is not the log’s fault with %s', async (_name, trust, when, place) => {
    const asked = requireLogged({ trust: trust as typeof logTrust, source: async () => good })
    await expect(asked(measurement, when)).rejects.toMatchObject({ code: 'BAD_ARGUMENT', place })
  })

  test.each<[string, object]>([
    ['an entry', { entry: 'x' }],
    ['a checkpoint', { checkpoint: 7 }],
  ])('fails with %s of another kind, which the log has to answer for', async (_name, change) => {
    expect(await ask({ ...good, ...change } as LoggedMeasurement)).toMatchObject({ result: 'fail' })
  })

  test('is not checked, which is no yes, when the log does not answer', async () => {
    const answer = await requireLogged({
      trust: logTrust,
      source: async () => {
        throw new Error('no network')
      },
    })(measurement, at)
    expect(answer.result).toBe('not-checked')
  })
})

describe('a log of static tiles', () => {
  const serving = (files: ReadonlyMap<string, Uint8Array | string>, change: Partial<TiledLogOptions> = {}) =>
    tiledLogSource({
      url: 'https://log.example.org/s/',
      fetch: async (url) => {
        const body = files.get(String(url).replace('https://log.example.org/s/', ''))
        return body === undefined ? new Response('', { status: 404 }) : new Response(body as string)
      },
      ...change,
    })

  test('gives the newest entry on the code, with its proof', async () => {
    const many = Array.from({ length: 600 }, (_, index) =>
      measurementEntry(index % 2 === 0 ? other : measurement, `${index}`),
    )
    const big = publicLog(many)
    const found = await serving(big.files)(measurement)
    expect(found?.index).toBe(599)
    expect(found === undefined ? undefined : (await ask(found)).result).toBe('pass')
  })

  test('knows what it has no entry on, also among entries that it does not understand', async () => {
    const odd = publicLog([new TextEncoder().encode('{"kind":"poem"}'), measurementEntry(other)])
    expect(await serving(odd.files)(measurement)).toBeUndefined()
  })

  test('reads logs of whole tiles, and up to its limit', async () => {
    const whole = publicLog(
      Array.from({ length: 256 }, (_, index) =>
        measurementEntry(index === 3 ? measurement : other, `${index}`),
      ),
    )
    const found = await serving(whole.files, { maximumEntries: 256 })(measurement)
    expect(found?.index).toBe(3)
    expect(found === undefined ? undefined : (await ask(found)).result).toBe('pass')
  })

  test('reads no log above its limit', async () => {
    await expect(serving(log.files, { maximumEntries: 2 })(measurement)).rejects.toMatchObject({
      code: 'NODE_ANSWER_INVALID',
    })
  })

  test.each([
    ['the checkpoint', 'checkpoint', undefined, 'NODE_UNREACHABLE'],
    ['a tile', 'tile/entries/000.p/3', undefined, 'NODE_UNREACHABLE'],
    ['a readable checkpoint', 'checkpoint', 'hello', 'BAD_LOG'],
    ['a readable tile', 'tile/entries/000.p/3', new Uint8Array([0]), 'BAD_LOG'],
  ])('fails without %s', async (_name, path, body, code) => {
    const files = new Map<string, Uint8Array | string>(log.files)
    expect(files.has(path)).toBe(true)
    if (body === undefined) files.delete(path)
    else files.set(path, body)
    await expect(serving(files)(measurement)).rejects.toMatchObject({ code })
  })

  test('reads no file above 16 MiB', async () => {
    const files = new Map<string, Uint8Array | string>(log.files).set(
      'checkpoint',
      new Uint8Array(16 * 1024 * 1024 + 1),
    )
    await expect(serving(files)(measurement)).rejects.toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  })

  test('gives up on a log that never answers', async () => {
    const source = serving(log.files, {
      timeoutMs: 20,
      fetch: (_url, init) =>
        new Promise((_resolve, reject) =>
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
        ),
    })
    await expect(source(measurement)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
  })

  test('has an http or https address', () => {
    expect(() => tiledLogSource({ url: 'file:///x' })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})
