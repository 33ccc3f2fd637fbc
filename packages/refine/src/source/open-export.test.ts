import { fileURLToPath, pathToFileURL } from 'node:url'
import fc from 'fast-check'
import initSqlJs from 'sql.js'
import { beforeAll, describe, expect, test } from 'vitest'
import type { JsonValue } from '../define/record-types.js'
import { RefineError } from '../errors.js'
import { postalReader } from '../mail/index.js'
import { hyparquetReader } from '../parquet/index.js'
import type { SourceFormat } from '../schema/table-schema.js'
import { createSqliteReader } from '../sqlite/index.js'
import { property } from '../testing/property.js'
import { openExport } from '../with-platform.js'
import { saxesReader } from '../xml/index.js'
import type { SourceReaders } from './open-export.js'
import type { RequiredField } from './required-fields.js'
import { defaultSourceLimits, type SourceLimits } from './source-limits.js'

/** The cases of `npm run conformance -- refine`, run here on the sources. */
const folder = pathToFileURL(fileURLToPath(new URL('../../../../conformance/refine/', import.meta.url))).href
interface Exports {
  readonly receipts: readonly Record<string, unknown>[]
  readonly ride: readonly Record<string, unknown>[]
  rows(): Promise<Record<string, Uint8Array>>
  activities(): Record<string, Uint8Array>
  readonly healthExport: string
  readonly mailbox: string
}
interface Malformed {
  readonly name: string
  readonly source: SourceFormat
  readonly file: string
  readonly bytes: Uint8Array
  readonly code: string
  readonly limits?: Partial<SourceLimits>
}
const cases = (await import(`${folder}exports.mjs`)) as Exports
const { malformed, zip, descriptor } = (await import(`${folder}malformed.mjs`)) as {
  malformed(): Promise<Malformed[]>
  zip(entries: readonly object[]): Uint8Array
  descriptor(options?: object): unknown
}
const { tar } = (await import(`${folder}tar.mjs`)) as { tar(members: readonly object[]): Uint8Array }
const files = await cases.rows()
const refused = await malformed()
let readers: SourceReaders

beforeAll(async () => {
  readers = {
    xml: saxesReader,
    mime: postalReader,
    parquet: hyparquetReader,
    sqlite: createSqliteReader(await initSqlJs()),
  }
})

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(
  source: SourceFormat,
  name: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  limits: Partial<SourceLimits> = {},
  options: { readonly fields?: readonly RequiredField[]; readonly files?: readonly string[] } = {},
) {
  const records: JsonValue[] = []
  for await (const record of openExport({
    source,
    name,
    bytes,
    readers,
    limits: { ...defaultSourceLimits, ...limits },
    ...options,
  })) {
    records.push(record)
  }
  return records
}

const encode = (text: string) => new TextEncoder().encode(text)

describe('the same rows', () => {
  const want = cases.receipts.map((row) => ({
    ...row,
    total: Number(row['total']),
    paid_by: row['paid_by'] ?? '',
  }))
  const same = (record: JsonValue) => {
    const row = record as Record<string, unknown>
    return { ...row, total: Number(row['total']), paid_by: row['paid_by'] ?? '' }
  }
  test.each(Object.keys(files))('%s', async (name) => {
    const bytes = files[name] ?? new Uint8Array()
    expect((await read('rows', name, bytes)).map(same)).toEqual(want)
    expect((await read('rows', name, inPieces(bytes, 777))).map(same)).toEqual(want)
  })
})

describe('fields that a table must have', () => {
  const names = Object.keys(files).filter((name) => /csv|parquet|sqlite/.test(name))
  test.each(names)('%s', async (name) => {
    const bytes = files[name] ?? new Uint8Array()
    const there = { name: 'shop', place: 't.shop' }
    expect(await read('rows', name, bytes, {}, { fields: [there] })).toHaveLength(40)
    await expect(
      read('rows', name, bytes, {}, { fields: [there, { name: 'Shop', place: 't.name' }] }),
    ).rejects.toMatchObject({ code: 'FIELD_MISSING', place: expect.stringMatching(/t\.name$/) })
  })
})

describe('the same samples', () => {
  test.each(Object.keys(cases.activities()))('%s', async (name) => {
    const samples = (await read('activity', name, cases.activities()[name] ?? new Uint8Array())) as Record<
      string,
      unknown
    >[]
    expect(samples).toHaveLength(cases.ride.length)
    for (const [index, sample] of samples.entries()) {
      const { latitude, longitude, ...rest } = sample
      const { latitude: wantLatitude, longitude: wantLongitude, ...want } = cases.ride[index] ?? {}
      expect(rest).toMatchObject(want)
      expect(Number(latitude)).toBeCloseTo(Number(wantLatitude), 6)
      expect(Number(longitude)).toBeCloseTo(Number(wantLongitude), 6)
      expect(rest['sport']).toBe('cycling')
    }
  })
})

describe('other exports', () => {
  test('Apple Health: records, workouts and summaries, and not those inside correlations', async () => {
    const records = (await read('health', 'export.xml', encode(cases.healthExport))) as Record<
      string,
      unknown
    >[]
    expect(records.map(({ kind, value, start }) => [kind, value, start])).toEqual([
      ['record', '62', '2024-05-01T06:00:00Z'],
      ['record', '0.5', '2024-05-01T07:00:00Z'],
      ['workout', null, '2024-05-01T16:00:00Z'],
      ['activity-summary', null, null],
    ])
    expect(records[2]).toMatchObject({
      type: 'HKWorkoutActivityTypeRunning',
      attributes: { duration: '30', durationUnit: 'min' },
    })
  })

  test('mail: quoting, encodings, parts, dates', async () => {
    const messages = (await read('mail', 'a.mbox', inPieces(encode(cases.mailbox), 5))) as Record<
      string,
      unknown
    >[]
    expect(messages).toMatchObject([
      {
        from: 'juergen@example.org',
        to: ['ann@example.org', 'bob@example.org'],
        subject: 'Grüße and more',
        date: '2024-05-01T08:00:00Z',
        messageId: '<1@example.org>',
        attachments: [],
      },
      {
        from: 'bob@example.org',
        subject: 'picture',
        date: null,
        attachments: [{ mediaType: 'image/png', bytes: 8 }],
      },
    ])
    expect(String(messages[0]?.['text'])).toContain('Café at four?')
    expect(String(messages[0]?.['text'])).toContain('\nFrom here it is ten minutes.')
    expect(String(messages[1]?.['text']).trim()).toBe('See the picture.')
  })

  test('mail: a message in a message is an attachment, whatever it holds', async () => {
    const inner = 'From: c@example.org\r\nSubject: inner\r\n\r\nforwarded words\r\n'
    const mail = [
      'From: a@example.org',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'own words',
      '--b',
      'Content-Type: message/rfc822',
      '',
      inner,
      '--b--',
      '',
    ].join('\r\n')
    const [message] = (await read('mail', 'a.eml', encode(mail))) as { text: string; attachments: unknown }[]
    expect(message?.text).toContain('own words')
    expect(message?.text).not.toContain('forwarded')
    expect(message?.attachments).toMatchObject([{ mediaType: 'message/rfc822' }])
    const chain = (levels: number) =>
      encode(`From: a@b.c\r\n${'Content-Type: message/rfc822\r\n\r\n'.repeat(levels)}A: b\r\n\r\n`)
    await expect(read('mail', 'a.eml', chain(64))).resolves.toHaveLength(1)
    await expect(read('mail', 'a.eml', chain(65))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    // As many lines as base64 of that length has are read.
    const attached = `A: b\nContent-Transfer-Encoding: base64\n\n${`${'QUJD'.repeat(16)}\n`.repeat(70_000)}`
    await expect(read('mail', 'a.eml', encode(attached))).resolves.toHaveLength(1)
  })

  test('an archive: every file by its path, unknown ones without records', async () => {
    const zip = files['plain.csv.zip'] ?? new Uint8Array()
    const listed = (await read('archive', 'a.zip', zip)) as {
      path: string
      format: string | null
      records: unknown[]
    }[]
    expect(listed.map(({ path, format, records }) => [path, format, records.length])).toEqual([
      ['export/plain.csv', 'csv', 40],
      ['export/readme.txt', null, 0],
    ])
  })

  describe('an archive of which some paths are read', () => {
    const jsonl = (name: string, text = '{"a":1}\n') => ({ name, data: encode(text), method: 0 })
    const pathsOf = async (files: readonly string[] | undefined, entries: readonly object[]) =>
      (
        (await read('archive', 'a.zip', zip(entries), {}, files === undefined ? {} : { files })) as {
          path: string
        }[]
      ).map(({ path }) => path)

    test('nothing in the others refuses it: broken, without reader, with a wrong check sum, expanding to anything', async () => {
      const others = [
        jsonl('Keep/broken.json', '{bad'),
        jsonl('Keep/long-id.json', '{"id":12345678901234567890}'),
        jsonl('Contacts/twice.csv', 'a,a\n1,2,3\n'),
        jsonl('Drive/no.sqlite', 'SQLite format 3\u0000'),
        jsonl('Drive/inner.zip', 'PK\u0003\u0004'),
        { ...jsonl('Drive/sum.jsonl'), crc: 1, localCrc: 1 },
      ]
      const wanted = jsonl('Fit/days.jsonl')
      expect(await pathsOf(['Fit/*.jsonl'], [wanted, ...others])).toEqual(['Fit/days.jsonl'])
      for (const other of others) {
        const code = await pathsOf(undefined, [wanted, other]).catch((error: RefineError) => error.code)
        expect(code).toMatch(/^[A-Z_]+$/)
      }
    })

    test('without any of them it is refused, and so is one without any file of a known format', async () => {
      for (const [files, entries] of [
        [['Fit/*.jsonl'], [jsonl('Ajuste/days.jsonl')]],
        [['Fit/*'], [jsonl('Fit/days.html')]],
        [undefined, [jsonl('a.txt'), jsonl('b.html')]],
        [undefined, []],
        [undefined, [{ name: 'a.zip', data: zip([jsonl('a.txt')]), method: 0 }]],
      ] as const) {
        await expect(pathsOf(files, entries)).rejects.toMatchObject({
          code: 'FORMAT_UNKNOWN',
          place: 'archive',
        })
      }
    })

    test('archives inside of it are read by the same paths where their own path is one', async () => {
      const inner = {
        name: 'parts/1.zip',
        data: zip([jsonl('x/a.jsonl'), jsonl('y/b.json', '{')]),
        method: 0,
      }
      const [file] = (await read(
        'archive',
        'a.zip',
        zip([inner]),
        {},
        { files: ['parts/*.zip', 'x/*'] },
      )) as {
        records: { path: string }[]
      }[]
      expect(file?.records.map(({ path }) => path)).toEqual(['x/a.jsonl'])
      // One of no use beside a file that is read.
      const none = { name: 'none.zip', data: zip([jsonl('a.txt')]), method: 0 }
      expect(await pathsOf(undefined, [none, jsonl('z.jsonl')])).toEqual(['none.zip', 'z.jsonl'])
    })
  })

  describe('a ZIP64 end record beside an old one whose figures fit, as Info-ZIP writes for what comes by a pipe', () => {
    const plain = zip([{ name: 'a.jsonl', data: encode('{"a":1}\n') }])
    const end = plain.length - 22
    const figures = { entries: 1, offset: new DataView(plain.buffer).getUint32(end + 16, true), bytes: 0 }
    figures.bytes = end - figures.offset
    const withRecord = (changes: Partial<typeof figures> = {}, mark = 0x07064b50) => {
      const { entries, offset, bytes } = { ...figures, ...changes }
      const between = Buffer.alloc(56 + 20)
      between.writeUInt32LE(0x06064b50, 0)
      between.writeUInt32LE(44, 4)
      between.writeUInt32LE(entries, 24)
      between.writeUInt32LE(entries, 32)
      between.writeUInt32LE(bytes, 40)
      between.writeUInt32LE(offset, 48)
      between.writeUInt32LE(mark, 56)
      between.writeUInt32LE(end, 64)
      between.writeUInt32LE(1, 72)
      return new Uint8Array(Buffer.concat([plain.subarray(0, end), between, plain.subarray(end)]))
    }

    test('is read', async () => {
      expect(await read('jsonl', 'a.zip', withRecord())).toEqual([{ a: 1 }])
    })

    test('is refused where the two differ, or where it is none', async () => {
      const old = withRecord()
      new DataView(old.buffer).setUint16(old.length - 22 + 10, 7, true)
      for (const bytes of [
        old,
        withRecord({ entries: 2 }),
        withRecord({}, 0),
        withRecord({ bytes: figures.bytes - 1 }),
      ])
        await expect(read('jsonl', 'a.zip', bytes)).rejects.toMatchObject({
          code: 'ARCHIVE_INVALID',
          place: 'archive',
        })
      for (const [at, value] of [
        [12, figures.bytes + 1],
        [16, figures.offset + 1],
      ] as const) {
        const other = withRecord()
        new DataView(other.buffer).setUint32(other.length - 22 + at, value, true)
        await expect(read('jsonl', 'a.zip', other)).rejects.toThrow(
          'The two end records say different things',
        )
      }
    })

    test('is looked for behind a comment too, where other readers find it', async () => {
      const commented = (comment: Buffer) => {
        const bytes = Buffer.concat([plain.subarray(0, end), comment, plain.subarray(end)])
        bytes.writeUInt16LE(comment.length, figures.offset + 32)
        bytes.writeUInt32LE(figures.bytes + comment.length, end + comment.length + 12)
        return new Uint8Array(bytes)
      }
      expect(await read('jsonl', 'a.zip', commented(Buffer.alloc(76, 'x')))).toEqual([{ a: 1 }])
      const record = Buffer.from(withRecord().subarray(end, end + 76))
      for (const comment of [record, record.subarray(56)])
        await expect(read('jsonl', 'a.zip', commented(comment))).rejects.toMatchObject({
          code: 'ARCHIVE_INVALID',
          place: 'archive',
        })
    })

    test.each([0, 18, 75])(
      'is missing where the old record names one and only %i bytes stand before it',
      async (room) => {
        const short = Buffer.concat([Buffer.alloc(room, 1), plain.subarray(end)])
        short.writeUInt16LE(0xffff, room + 10)
        await expect(read('jsonl', 'a.zip', new Uint8Array(short))).rejects.toMatchObject({
          code: 'ARCHIVE_INVALID',
          message: expect.stringContaining('The ZIP64 end record is missing'),
        })
      },
    )

    test('is not looked for where there is no locator of it', async () => {
      const told = 'Something stands between directory and end, or in front'
      await expect(read('jsonl', 'a.zip', withRecord({}, 0))).rejects.toThrow(told)
      // In front of the end too little for a record, for a locator, or nothing.
      for (const room of [75, 20, 18, 1]) {
        const short = Buffer.concat([Buffer.alloc(room, 1), plain.subarray(end)])
        short.set(encode('PK\u0007\u0006').subarray(0, room), Math.max(0, room - 20))
        short.fill(0, room + 8, room + 20)
        await expect(read('jsonl', 'a.zip', new Uint8Array(short))).rejects.toMatchObject({
          code: 'ARCHIVE_INVALID',
          message: expect.stringContaining(told),
        })
      }
    })
  })

  test('a path that is not said to be UTF-8 is UTF-8 or of code page 437, as Windows writes it', async () => {
    const pathOf = async (name: Uint8Array, flags: number) => {
      const bytes = Buffer.from(name)
      const packed = zip([{ name: bytes, localName: bytes, flags, data: encode('{"a":1}\n') }])
      const [file] = (await read('archive', 'a.zip', packed)) as { readonly path: string }[]
      return file?.path
    }
    const bytes = Uint8Array.of(0x9a, 0x81, 0xe1, 0xff, ...encode('.jsonl'))
    expect(await pathOf(bytes, 0)).toBe('Üüß\u00a0.jsonl')
    expect(await pathOf(encode('Üüß.jsonl'), 0)).toBe('Üüß.jsonl')
    await expect(pathOf(bytes, 0x800)).rejects.toMatchObject({ code: 'ENCODING_INVALID', place: 'entry 1' })
    await expect(pathOf(Uint8Array.of(0x81, ...encode('/../a.jsonl')), 0)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
    })
  })

  test.each([
    { localName: 'a.json' },
    { localName: '' },
    { localName: 'a.jsonlx' },
    { localName: 'b.jsonl' },
    { localFlags: 0x801 },
    { localFlags: 0 },
    { localMethod: 0 },
  ])('a local header that says another thing than the directory is refused: %j', async (local) => {
    await expect(read('jsonl', 'a.zip', zip([{ name: 'a.jsonl', ...local }]))).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      place: 'entry 1',
      message: expect.stringContaining('A local header and the directory say different things'),
    })
  })

  test('what systems write beside files is none of an archive’s', async () => {
    const beside = Uint8Array.of(0, 5, 0x16, 7, 0, 2, 0, 0, ...encode('Mac OS X        '))
    // The compound files of Windows, whose name says SQLite.
    const thumbnails = Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1)
    const left: [string, Uint8Array][] = [
      ['Thumbs.db', thumbnails],
      ['d/desktop.ini', encode('[.ShellClassInfo]\r\n')],
      ['d/.DS_Store', Uint8Array.of(0, 0, 0, 1, ...encode('Bud1'))],
      ['Icon\r', Uint8Array.of()],
      ['d/Icon\r', Uint8Array.of()],
      ['._a.jsonl', beside],
      ['__MACOSX/._a.jsonl', beside],
      ['__MACOSX/b.jsonl', encode('{"b":1}\n')],
    ]
    const entries = left.map(([name, data]) => ({ name, data, method: 0 }))
    const a = { name: 'd/a.jsonl', data: encode('{"a":1}\n') }
    for (const [name, packed] of [
      ['a.zip', zip([a, ...entries])],
      ['a.tar', tar([...entries.map(({ name, data }) => ({ name, data })), a])],
    ] as const) {
      expect(await read('rows', name, packed)).toEqual([{ a: 1 }])
      expect(await read('jsonl', name, packed)).toEqual([{ a: 1 }])
      expect(await read('archive', name, packed)).toEqual([
        { path: 'd/a.jsonl', format: 'jsonl', bytes: 8, records: [{ a: 1 }] },
      ])
    }
    await expect(read('rows', 'a.zip', zip(entries))).rejects.toMatchObject({ code: 'FORMAT_UNKNOWN' })
    // A file that was named itself is what its bytes say.
    await expect(read('jsonl', '._a.jsonl', beside)).rejects.toMatchObject({ code: 'MEDIA_TYPE_MISMATCH' })
    await expect(read('rows', 'Thumbs.db', thumbnails)).rejects.toMatchObject({ code: 'SQLITE_INVALID' })
  })

  test.each([
    ['with a signature', {}],
    ['without one', { signed: false }],
    ['of 64 bits', { wide: true }],
    ['of 64 bits without a signature', { wide: true, signed: false }],
  ])('an archive written as a stream, its figures behind each file %s', async (_, options) => {
    const streamed = { flags: 0x808, localCrc: 0, localSize: 0, localPacked: 0, behind: descriptor(options) }
    const empty = { data: new Uint8Array(), method: 0 }
    const bytes = zip([
      { name: 'd/', ...empty },
      { name: 'd/a.jsonl', ...streamed },
      { name: 'e/', ...streamed, ...empty },
      { name: 'e/b.jsonl', ...streamed },
    ])
    expect(await read('rows', 'a.zip', bytes)).toHaveLength(2)
  })

  test('SQLite with several tables needs a name; views, virtual tables and generated columns are not read', async () => {
    const sql = await initSqlJs()
    const database = new sql.Database()
    database.run(
      'CREATE TABLE a (x INTEGER); CREATE TABLE b (y INTEGER, z AS (y + 1)); CREATE VIEW v AS SELECT 1; INSERT INTO a VALUES (9007199254740993), (NULL)',
    )
    const bytes = database.export()
    const open = async (table?: string) => {
      const records: JsonValue[] = []
      const options = table === undefined ? {} : { table }
      for await (const record of openExport({ source: 'rows', bytes, readers, ...options }))
        records.push(record)
      return records
    }
    expect(await open('a')).toEqual([{ x: '9007199254740993' }, { x: null }])
    for (const table of [undefined, 'b', 'v', 'sqlite_schema', 'a"; DROP TABLE a; --']) {
      await expect(open(table)).rejects.toMatchObject({ code: 'SQLITE_INVALID', place: 'table' })
    }
  })

  test('SQLite runs nothing that the file says: no CHECK, and nothing of tables that are not read', async () => {
    const sql = await initSqlJs()
    const database = new sql.Database()
    database.run(
      `PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON;
       CREATE TABLE a (x INTEGER CHECK (length(hex(zeroblob(x))) < 0)); INSERT INTO a VALUES (7);
       CREATE TABLE b (y INTEGER, z AS (y + 1)); INSERT INTO b VALUES (NULL);
       UPDATE sqlite_schema SET sql = replace(sql, '(y + 1)', '(y + 1) NOT NULL') WHERE name = 'b'`,
    )
    const bytes = database.export()
    const records: JsonValue[] = []
    for await (const record of openExport({ source: 'rows', bytes, readers, table: 'a' }))
      records.push(record)
    expect(records).toEqual([{ x: 7 }])
  })

  test('a reader that is not given is named', async () => {
    const open = async () => {
      for await (const _ of openExport({
        source: 'rows',
        name: 'a.parquet',
        bytes: files['snappy.parquet'] ?? new Uint8Array(),
      }));
    }
    await expect(open()).rejects.toMatchObject({ code: 'FORMAT_UNKNOWN', place: 'readers' })
  })
})

describe('what is malformed', () => {
  test.each(refused.map((each) => [`${each.source}: ${each.name}`, each] as const))('%s', async (_, each) => {
    const error = await read(each.source, each.file, each.bytes, each.limits).then(
      () => undefined,
      (fault: unknown) => fault,
    )
    expect(error).toBeInstanceOf(RefineError)
    expect(error).toMatchObject({ code: each.code })
  })

  const seeds = [...Object.entries(files), ...Object.entries(cases.activities())].filter(
    ([, bytes]) => bytes.length < 30_000,
  )
  property(
    'any change of any export gives records or a typed error',
    [
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(9),
    ],
    async ([name, bytes], changes, cut) => {
      const changed = Uint8Array.from(bytes)
      for (const [at, value] of changes) changed[at % changed.length] = value
      const source = name.startsWith('ride') ? 'activity' : 'rows'
      try {
        await read(
          source,
          name,
          cut === 0 ? changed.subarray(0, (changes[0]?.[0] ?? 0) % changed.length) : changed,
          { records: 10_000 },
        )
      } catch (error) {
        expect(error).toBeInstanceOf(RefineError)
      }
    },
  )

  // A fault that nobody waits for would end the process: vitest reports it as an error of the run.
  property(
    'any change of a Parquet footer gives rows or a typed error, and no fault besides',
    [
      fc.constantFrom('uncompressed.parquet', 'snappy.parquet', 'gzip.parquet', 'zstd.parquet'),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    ],
    async (name, changes) => {
      const changed = Uint8Array.from(files[name] ?? new Uint8Array())
      const view = new DataView(changed.buffer)
      const footer = view.getUint32(changed.length - 8, true)
      for (const [at, value] of changes) changed[changed.length - 9 - (at % footer)] = value
      try {
        await read('rows', name, changed, { records: 10_000 })
      } catch (error) {
        expect(error).toBeInstanceOf(RefineError)
      }
    },
  )

  test('Parquet: runs that claim a billion values, wherever they stand, are refused and not made', async () => {
    const whole = files['uncompressed.parquet'] ?? new Uint8Array()
    const footer = new DataView(whole.buffer, whole.byteOffset).getUint32(whole.length - 8, true)
    const billion = [
      [0xfe, 0xff, 0xff, 0xff, 0x07],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
    ]
    const places = new Set<string>()
    for (let at = 4; at < Math.min(700, whole.length - 8 - footer - 5); at += 1) {
      for (const lie of billion) {
        const changed = Uint8Array.from(whole)
        changed.set(lie, at)
        try {
          await read('rows', 'a.parquet', changed, { records: 100_000 })
        } catch (error) {
          expect(error).toBeInstanceOf(RefineError)
          places.add((error as RefineError).message)
        }
      }
    }
    expect([...places].join()).toContain('says of itself what cannot be')
  }, 60_000)

  test('Parquet: row groups of other columns than the file’s are refused before any is read', async () => {
    const changed = Uint8Array.from(files['uncompressed.parquet'] ?? new Uint8Array())
    const text = Buffer.from(changed)
    const at = text.lastIndexOf('shop')
    expect(at).toBeGreaterThan(text.indexOf('shop'))
    changed[at] = 't'.charCodeAt(0)
    await expect(read('rows', 'a.parquet', changed)).rejects.toMatchObject({
      code: 'PARQUET_INVALID',
      place: 'row group 1',
    })
  })
})
