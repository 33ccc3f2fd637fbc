// Bombs, malformed and hostile files: each with the source that meets it and the code that must refuse it.
import { deflateRawSync, gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { activities, fitFile, fitMessages, healthExport, rows } from './exports.mjs'
import { malformedTars } from './tar.mjs'

const utf8 = (text) => new TextEncoder().encode(text)
const line = '{"date":"2024-01-01","shop":"x","total":"1.00"}\n'
const good = utf8(line)

/** Hand-made ZIP, so that each field can lie. */
export function zip(entries, { comment = '', trailing = 0, prefix = 0, count } = {}) {
  const parts = [Buffer.alloc(prefix)]
  const central = []
  let offset = prefix
  for (const entry of entries) {
    const { name, data = good, method = 8, flags = 0x800, attributes = 0, localName = name } = entry
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data)
    const sum = entry.crc ?? crc(data)
    const size = entry.size ?? data.length
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(20, 4)
    local.writeUInt16LE(entry.localFlags ?? flags, 6)
    local.writeUInt16LE(entry.localMethod ?? method, 8)
    local.writeUInt32LE(entry.localCrc ?? sum, 14)
    local.writeUInt32LE(entry.localPacked ?? packed.length, 18)
    local.writeUInt32LE(entry.localSize ?? size, 22)
    const localBytes = Buffer.from(localName)
    local.writeUInt16LE(localBytes.length, 26)
    const head = Buffer.alloc(46)
    head.writeUInt32LE(0x02014b50, 0)
    head.writeUInt16LE(0x0314, 4)
    head.writeUInt16LE(20, 6)
    head.writeUInt16LE(flags, 8)
    head.writeUInt16LE(method, 10)
    head.writeUInt32LE(sum, 16)
    head.writeUInt32LE(packed.length, 20)
    head.writeUInt32LE(size, 24)
    const nameBytes = Buffer.isBuffer(name) ? name : Buffer.from(name)
    head.writeUInt16LE(nameBytes.length, 28)
    head.writeUInt32LE(attributes >>> 0, 38)
    head.writeUInt32LE(entry.offset ?? offset, 42)
    central.push(head, nameBytes)
    if (entry.offset === undefined) {
      const behind = entry.behind?.(sum, packed.length, size) ?? Buffer.alloc(0)
      parts.push(local, localBytes, packed, behind)
      offset += 30 + localBytes.length + packed.length + behind.length
    }
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count ?? entries.length, 8)
  end.writeUInt16LE(count ?? entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return new Uint8Array(
    Buffer.concat([...parts, directory, end, Buffer.from(comment), Buffer.alloc(trailing)]),
  )
}

/** The figures behind a file that was written as a stream, 32 or 64 bits wide, with their signature or without. */
export const descriptor =
  ({ signed = true, wide = false, change = 0 } = {}) =>
  (sum, packed, size) => {
    const bytes = Buffer.alloc((signed ? 4 : 0) + (wide ? 20 : 12))
    if (signed) bytes.writeUInt32LE(0x08074b50, 0)
    const at = signed ? 4 : 0
    bytes.writeUInt32LE(sum, at)
    bytes.writeUInt32LE(packed, at + 4)
    bytes.writeUInt32LE(size + change, at + (wide ? 12 : 8))
    return bytes
  }

function crc(bytes) {
  let value = 0xffffffff
  for (const byte of bytes) {
    value ^= byte
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  }
  return (value ^ 0xffffffff) >>> 0
}

const flip = (bytes, at) => {
  const changed = Uint8Array.from(bytes)
  changed[at < 0 ? changed.length + at : at] ^= 0x55
  return changed
}
/** The levels of the first page: a run of 40 ones becomes one of 2^30. */
function lyingRun(bytes) {
  const at = Buffer.from(bytes).indexOf(Buffer.from([2, 0, 0, 0, 0x50, 1]))
  if (at < 0) throw new Error('DuckDB writes its first page in another way')
  const changed = Uint8Array.from(bytes)
  changed.set([0xfe, 0xff, 0xff, 0xff, 0x07], at + 4)
  return changed
}

/** Where a Parquet file's footer begins. */
const footerOf = (bytes) => bytes.length - 8 - Buffer.from(bytes).readUInt32LE(bytes.length - 8)
const gpx = (inner, head = '') =>
  utf8(`<?xml version="1.0"?>${head}<gpx><trk><trkseg>${inner}</trkseg></trk></gpx>`)

/** @returns {Promise<{ name: string, source: string, file: string, bytes: Uint8Array, code: string, limits?: object }[]>} */
export async function malformed() {
  const flat = await rows()
  const fit = activities()['ride.fit']
  const refused = []
  const add = (source, list) => {
    for (const [name, file, bytes, code, limits] of list) {
      refused.push({
        source,
        name,
        file,
        bytes: typeof bytes === 'string' ? utf8(bytes) : bytes,
        code,
        limits,
      })
    }
  }
  add('rows', [
    [
      'a gzip bomb',
      'a.jsonl.gz',
      new Uint8Array(gzipSync(Buffer.concat([good, Buffer.alloc(64 << 20, 10)]))),
      'LIMIT_EXCEEDED',
    ],
    [
      'a gzip bomb within the ratio',
      'a.jsonl.gz',
      new Uint8Array(gzipSync(Buffer.concat([good, Buffer.alloc(4 << 20, 10)]))),
      'LIMIT_EXCEEDED',
      { expandedBytes: 1 << 20, ratio: 100_000 },
    ],
    [
      'gzip inside of gzip inside of gzip',
      'a.gz',
      new Uint8Array(gzipSync(gzipSync(gzipSync(good)))),
      'LIMIT_EXCEEDED',
    ],
    [
      'gzip that ends early',
      'a.jsonl.gz',
      new Uint8Array(gzipSync(good)).subarray(0, -9),
      'COMPRESSION_INVALID',
    ],
    [
      'gzip with a wrong check sum',
      'a.jsonl.gz',
      flip(new Uint8Array(gzipSync(good)), -6),
      'COMPRESSION_INVALID',
    ],
    ['a ZIP bomb', 'a.zip', zipSync({ 'a.jsonl': new Uint8Array(64 << 20).fill(10) }), 'LIMIT_EXCEEDED'],
    [
      'a ZIP bomb that lies about its size',
      'a.zip',
      zip([{ name: 'a.jsonl', data: Buffer.alloc(8 << 20, 10), size: 100 }]),
      'ARCHIVE_INVALID',
    ],
    [
      'a ZIP in a ZIP in a ZIP',
      'a.zip',
      zipSync({ 'b.zip': zipSync({ 'c.zip': zipSync({ 'a.jsonl': good }) }) }),
      'LIMIT_EXCEEDED',
    ],
    [
      'a ZIP with too many entries',
      'a.zip',
      zip(Array.from({ length: 50 }, (_, index) => ({ name: `${index}.jsonl` }))),
      'LIMIT_EXCEEDED',
      { entries: 40 },
    ],
    ['a path that climbs', 'a.zip', zip([{ name: '../a.jsonl' }]), 'ARCHIVE_INVALID'],
    ['a path that climbs in the middle', 'a.zip', zip([{ name: 'a/../../a.jsonl' }]), 'ARCHIVE_INVALID'],
    ['an absolute path', 'a.zip', zip([{ name: '/etc/a.jsonl' }]), 'ARCHIVE_INVALID'],
    ['a drive', 'a.zip', zip([{ name: 'C:/a.jsonl' }]), 'ARCHIVE_INVALID'],
    ['back slashes', 'a.zip', zip([{ name: '..\\a.jsonl' }]), 'ARCHIVE_INVALID'],
    ['a NUL in a path', 'a.zip', zip([{ name: 'a.jsonl\0.txt' }]), 'ARCHIVE_INVALID'],
    ['an empty part of a path', 'a.zip', zip([{ name: 'a//a.jsonl' }]), 'ARCHIVE_INVALID'],
    [
      'a path that is no UTF-8',
      'a.zip',
      zip([{ name: Buffer.from([0xff, 0x2e, 0x6a]), localName: Buffer.from([0xff, 0x2e, 0x6a]) }]),
      'ENCODING_INVALID',
    ],
    ['a path of too many parts', 'a.zip', zip([{ name: `${'d/'.repeat(100)}a.jsonl` }]), 'LIMIT_EXCEEDED'],
    [
      'a symbolic link',
      'a.zip',
      zip([{ name: 'a.jsonl', data: utf8('/etc/passwd'), attributes: 0xa1ff0000 }]),
      'ARCHIVE_INVALID',
    ],
    ['a device', 'a.zip', zip([{ name: 'a.jsonl', attributes: 0x21ff0000 }]), 'ARCHIVE_INVALID'],
    ['two files of one path', 'a.zip', zip([{ name: 'a.jsonl' }, { name: 'a.jsonl' }]), 'ARCHIVE_INVALID'],
    [
      'two files of one path in other case',
      'a.zip',
      zip([{ name: 'a.jsonl' }, { name: 'A.JSONL' }]),
      'ARCHIVE_INVALID',
    ],
    ['a file that is a folder', 'a.zip', zip([{ name: 'a' }, { name: 'a/b.jsonl' }]), 'ARCHIVE_INVALID'],
    [
      'overlapping files',
      'a.zip',
      zip([{ name: 'a.jsonl' }, { name: 'a.jsonl', offset: 0 }]),
      'ARCHIVE_INVALID',
    ],
    [
      'two entries over one file',
      'a.zip',
      zip([{ name: 'a.jsonl' }, { name: 'b.jsonl', localName: 'a.jsonl', offset: 0 }]),
      'ARCHIVE_INVALID',
    ],
    ['another local name', 'a.zip', zip([{ name: 'a.jsonl', localName: 'b.jsonl' }]), 'ARCHIVE_INVALID'],
    ['another local method', 'a.zip', zip([{ name: 'a.jsonl', localMethod: 0 }]), 'ARCHIVE_INVALID'],
    ['another local size', 'a.zip', zip([{ name: 'a.jsonl', localSize: 7 }]), 'ARCHIVE_INVALID'],
    ['an encrypted file', 'a.zip', zip([{ name: 'a.jsonl', flags: 0x801 }]), 'ARCHIVE_INVALID'],
    ['a method that is unknown', 'a.zip', zip([{ name: 'a.jsonl', method: 12 }]), 'ARCHIVE_INVALID'],
    [
      'a local size of zero without figures behind',
      'a.zip',
      zip([{ name: 'a.jsonl', localSize: 0 }]),
      'ARCHIVE_INVALID',
    ],
    [
      'a file that the directory does not name',
      'a.zip',
      zip([{ name: 'a.jsonl', behind: () => Buffer.from(zip([{ name: 'hidden.jsonl' }]).subarray(0, 90)) }]),
      'ARCHIVE_INVALID',
    ],
    [
      'a byte between two files',
      'a.zip',
      zip([{ name: 'a.jsonl', behind: () => Buffer.alloc(1) }, { name: 'b.jsonl' }]),
      'ARCHIVE_INVALID',
    ],
    [
      'a byte in front of the directory',
      'a.zip',
      zip([{ name: 'a.jsonl', behind: () => Buffer.alloc(1) }]),
      'ARCHIVE_INVALID',
    ],
    ['a prefix that offsets count', 'a.zip', zip([{ name: 'a.jsonl' }], { prefix: 22 }), 'ARCHIVE_INVALID'],
    ['a prefix and nothing else', 'a.zip', zip([], { prefix: 22 }), 'ARCHIVE_INVALID'],
    ['a stream without its figures', 'a.zip', zip([{ name: 'a.jsonl', flags: 0x808 }]), 'ARCHIVE_INVALID'],
    [
      'a stream with other figures',
      'a.zip',
      zip([{ name: 'a.jsonl', flags: 0x808, behind: descriptor({ change: 1 }) }]),
      'ARCHIVE_INVALID',
    ],
    [
      'a stream whose figures have another signature',
      'a.zip',
      zip([
        {
          name: 'a.jsonl',
          flags: 0x808,
          behind: (...figures) => flip(descriptor()(...figures), 0),
        },
      ]),
      'ARCHIVE_INVALID',
    ],
    [
      'a folder that something follows',
      'a.zip',
      zip([{ name: 'd/', data: utf8(''), method: 0, behind: () => Buffer.alloc(3) }, { name: 'd/a.jsonl' }]),
      'ARCHIVE_INVALID',
    ],
    ['a wrong check sum', 'a.zip', zip([{ name: 'a.jsonl', crc: 1 }]), 'ARCHIVE_INVALID'],
    ['a size that is too large', 'a.zip', zip([{ name: 'a.jsonl', size: 1000 }]), 'ARCHIVE_INVALID'],
    ['bytes behind the archive', 'a.zip', zip([{ name: 'a.jsonl' }], { trailing: 3 }), 'ARCHIVE_INVALID'],
    [
      'bytes in front of the archive that the offsets know',
      'a.zip',
      zip([{ name: 'a.jsonl' }], { count: 2 }),
      'ARCHIVE_INVALID',
    ],
    [
      'a directory that is cut off',
      'a.zip',
      zip([{ name: 'a.jsonl' }, { name: 'b.jsonl' }], { count: 1 }),
      'ARCHIVE_INVALID',
    ],
    [
      'a comment that hides a second end',
      'a.zip',
      zip([{ name: 'a.jsonl' }], { comment: `PK\u0005\u0006${'\0'.repeat(18)}` }),
      'ARCHIVE_INVALID',
    ],
    ['an archive cut in half', 'a.zip', zip([{ name: 'a.jsonl' }]).subarray(0, 60), 'ARCHIVE_INVALID'],
    ['an archive of nothing to read', 'a.zip', zip([{ name: 'a.txt' }]), 'FORMAT_UNKNOWN'],
    [
      'UTF-32',
      'a.csv',
      new Uint8Array([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0, 0x0a, 0, 0, 0, 0x31, 0, 0, 0]),
      'ENCODING_INVALID',
    ],
    [
      'UTF-16 with half a character',
      'a.csv',
      new Uint8Array([0xff, 0xfe, 0x61, 0x00, 0x00, 0xd8, 0x0a, 0x00]),
      'ENCODING_INVALID',
    ],
    [
      'bytes that are no UTF-8',
      'a.csv',
      new Uint8Array([...utf8('date,shop\n'), 0xc3, 0x28, 10]),
      'ENCODING_INVALID',
    ],
    ['deep nesting', 'a.json', '['.repeat(100_000), 'LIMIT_EXCEEDED'],
    ['deep nesting in a line', 'a.jsonl', `${line}{"a":${'['.repeat(1000)}`, 'LIMIT_EXCEEDED'],
    [
      'a huge line',
      'a.jsonl',
      `{"a":"${'x'.repeat(3 << 20)}"}`,
      'LIMIT_EXCEEDED',
      { fieldLength: 1 << 20, recordBytes: 1 << 20 },
    ],
    ['a huge field', 'a.csv', `date,shop\n1,${'x'.repeat(2 << 20)}\n`, 'LIMIT_EXCEEDED'],
    [
      'too many columns',
      'a.csv',
      `${Array.from({ length: 1001 }, (_, index) => `c${index}`).join(',')}\n`,
      'LIMIT_EXCEEDED',
    ],
    ['too many rows', 'a.csv', `a\n${'1\n'.repeat(100)}`, 'LIMIT_EXCEEDED', { records: 99 }],
    ['too many bytes', 'a.csv', `a\n${'1\n'.repeat(100)}`, 'LIMIT_EXCEEDED', { bytes: 50 }],
    ['an empty CSV', 'a.csv', '', 'CSV_HEADER_INVALID'],
    ['a repeated name', 'a.csv', 'a,a\n1,2\n', 'CSV_HEADER_INVALID'],
    ['a ragged row', 'a.csv', 'a,b\n1\n', 'CSV_FIELD_COUNT'],
    ['an open quote', 'a.csv', 'a,b\n"1,2\n', 'CSV_INVALID'],
    ['a repeated key', 'a.jsonl', '{"a":1,"a":2}', 'JSON_DUPLICATE_KEY'],
    ['an inexact number', 'a.jsonl', '{"a":0.1234567890123456789}', 'JSON_NUMBER_INEXACT'],
    ['a document that is no list', 'a.json', '{"a":1}', 'JSON_INVALID'],
    ['a comment in JSON', 'a.json', '[1] // x', 'JSON_INVALID'],
    ['Parquet that ends early', 'a.parquet', flat['snappy.parquet'].subarray(0, -20), 'PARQUET_INVALID'],
    [
      'Parquet with a damaged footer',
      'a.parquet',
      flip(flat['snappy.parquet'], footerOf(flat['snappy.parquet'])),
      'PARQUET_INVALID',
    ],
    [
      'Parquet with a footer longer than the file',
      'a.parquet',
      new Uint8Array([...utf8('PAR1'), 0xff, 0xff, 0xff, 0x7f, ...utf8('PAR1')]),
      'PARQUET_INVALID',
    ],
    ['Parquet with a damaged page by gzip', 'a.parquet', flip(flat['gzip.parquet'], 60), 'PARQUET_INVALID'],
    [
      'Parquet with a damaged page by Zstandard',
      'a.parquet',
      flip(flat['zstd.parquet'], Buffer.from(flat['zstd.parquet']).indexOf('28b52ffd', 'hex')),
      'PARQUET_INVALID',
    ],
    [
      'Parquet with a run of a billion values',
      'a.parquet',
      lyingRun(flat['uncompressed.parquet']),
      'PARQUET_INVALID',
    ],
    ['Parquet with too many rows', 'a.parquet', flat['snappy.parquet'], 'LIMIT_EXCEEDED', { records: 10 }],
    ['SQLite that is none', 'a.sqlite', 'SQLite format 3\0'.padEnd(200, 'x'), 'SQLITE_INVALID'],
    ['SQLite that ends early', 'a.sqlite', flat['table.sqlite'].subarray(0, 4100), 'SQLITE_INVALID'],
    ['an activity', 'a.gpx', activities()['ride.gpx'], 'MEDIA_TYPE_MISMATCH'],
    ['bytes of no format', 'a.bin', new Uint8Array([1, 2, 3]), 'MEDIA_TYPE_MISMATCH'],
  ])
  add('rows', malformedTars(good))
  add('activity', [
    ['a document type', 'a.gpx', gpx('', '<!DOCTYPE gpx [<!ELEMENT gpx ANY>]>'), 'XML_INVALID'],
    [
      'entities that laugh',
      'a.gpx',
      gpx('&c;', '<!DOCTYPE gpx [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>'),
      'XML_INVALID',
    ],
    [
      'an external entity',
      'a.gpx',
      gpx('&x;', '<!DOCTYPE gpx [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
      'XML_INVALID',
    ],
    ['an entity that is not declared', 'a.gpx', gpx('&x;'), 'XML_INVALID'],
    ['deep elements', 'a.gpx', utf8(`<gpx>${'<a>'.repeat(10_000)}`), 'LIMIT_EXCEEDED'],
    [
      'a huge text',
      'a.gpx',
      gpx(`<trkpt lat="1" lon="1"><time>${'1'.repeat(3 << 20)}</time></trkpt>`),
      'LIMIT_EXCEEDED',
      { bytes: 16 << 20 },
    ],
    ['a tag that does not end', 'a.gpx', utf8(`<gpx><trk a="${'x'.repeat(3 << 20)}`), 'LIMIT_EXCEEDED'],
    ['elements that do not match', 'a.gpx', utf8('<gpx><trk></gpx>'), 'XML_INVALID'],
    ['an element that does not end', 'a.gpx', utf8('<gpx><trk>'), 'XML_INVALID'],
    ['a place out of the world', 'a.gpx', gpx('<trkpt lat="91" lon="0"></trkpt>'), 'VALUE_UNKNOWN'],
    ['a place that is no number', 'a.gpx', gpx('<trkpt lat="x" lon="0"></trkpt>'), 'VALUE_UNKNOWN'],
    [
      'a time that is none',
      'a.gpx',
      gpx('<trkpt lat="1" lon="0"><time>noon</time></trkpt>'),
      'VALUE_UNKNOWN',
    ],
    [
      'a time without a zone',
      'a.gpx',
      gpx('<trkpt lat="1" lon="0"><time>2024-01-01T00:00:00</time></trkpt>'),
      'VALUE_UNKNOWN',
    ],
    [
      'too many samples',
      'a.gpx',
      gpx('<trkpt lat="1" lon="0"/>'.repeat(11)),
      'LIMIT_EXCEEDED',
      { records: 10 },
    ],
    ['another root', 'a.gpx', utf8('<html><gpx/></html>'), 'XML_INVALID'],
    ['FIT with a wrong check sum', 'a.fit', flip(fit, 100), 'FIT_INVALID'],
    ['FIT with a wrong header', 'a.fit', flip(fit, 2), 'FIT_INVALID'],
    ['FIT that ends early', 'a.fit', fit.subarray(0, -3), 'FIT_INVALID'],
    ['FIT with bytes behind it', 'a.fit', Uint8Array.from([...fit, 1, 2, 3]), 'FIT_INVALID'],
    ['FIT with a message before its definition', 'a.fit', fitFile([Buffer.from([0, 1, 2])]), 'FIT_INVALID'],
    [
      'FIT with a message cut off',
      'a.fit',
      fitFile([...fitMessages().slice(0, 1), Buffer.from([0, 1])]),
      'FIT_INVALID',
    ],
    [
      'FIT with a definition cut off',
      'a.fit',
      fitFile([Buffer.from([0x40, 0, 0, 20, 0, 9, 1])]),
      'FIT_INVALID',
    ],
    ['FIT without a byte order', 'a.fit', fitFile([Buffer.from([0x40, 0, 7, 20, 0, 0])]), 'FIT_INVALID'],
    ['FIT with too many samples', 'a.fit', fit, 'LIMIT_EXCEEDED', { records: 29 }],
    ['FIT that is text', 'a.fit', 'not fit at all', 'FIT_INVALID'],
  ])
  add('health', [
    [
      'a declared entity',
      'export.xml',
      healthExport.replace('<!ELEMENT Record', '<!ENTITY a "b"><!ELEMENT Record'),
      'XML_INVALID',
    ],
    [
      'an external document type',
      'export.xml',
      healthExport.replace('HealthData [', 'HealthData SYSTEM "http://example.org/x" ['),
      'XML_INVALID',
    ],
    [
      'a date that is none',
      'export.xml',
      healthExport.replace('2024-05-01 08:00:00', '2024-05-32 08:00:00'),
      'VALUE_UNKNOWN',
    ],
    ['an export that ends early', 'export.xml', healthExport.slice(0, -30), 'XML_INVALID'],
    ['too many records', 'export.xml', healthExport, 'LIMIT_EXCEEDED', { records: 2 }],
  ])
  add('mail', [
    ['a mailbox that begins otherwise', 'a.mbox', 'Subject: x\n\nbody\n', 'MAIL_INVALID'],
    [
      'a huge message',
      'a.mbox',
      `From x Fri Nov 20 10:00:00 2026\n${'a: b\n'.repeat(10)}\n${'x\n'.repeat(2 << 20)}`,
      'LIMIT_EXCEEDED',
      { recordBytes: 1 << 20 },
    ],
    [
      'a huge line',
      'a.mbox',
      `From x Fri Nov 20 10:00:00 2026\nSubject: ${'x'.repeat(2 << 20)}`,
      'LIMIT_EXCEEDED',
      { recordBytes: 1 << 20 },
    ],
    [
      'too many messages',
      'a.mbox',
      'From x Fri Nov 20 10:00:00 2026\nA: b\n\nbody\n\n'.repeat(11),
      'LIMIT_EXCEEDED',
      { records: 10 },
    ],
    ['parts inside of each other', 'a.eml', nestedParts(200), 'MAIL_INVALID'],
    [
      'messages in messages in messages',
      'a.eml',
      `From: a@b.c\r\n${'Content-Type: message/rfc822\r\n\r\n'.repeat(20_000)}`,
      'LIMIT_EXCEEDED',
    ],
    [
      'messages in messages under folded types',
      'a.eml',
      `From: a@b.c\r\n${'CONTENT-TYPE:\r\n message/RFC822; x=y\r\n\r\n'.repeat(65)}`,
      'LIMIT_EXCEEDED',
    ],
    ['a message of empty lines', 'a.eml', `From: a@b.c\n\n${'\n'.repeat(70_000)}`, 'LIMIT_EXCEEDED'],
    [
      'a message of a million empty lines',
      'a.mbox',
      `From x Fri Nov 20 10:00:00 2026\nA: b\n\n${'\n'.repeat(1 << 20)}`,
      'LIMIT_EXCEEDED',
    ],
    ['a message without headers', 'a.mbox', 'From x Fri Nov 20 10:00:00 2026\n\nbody\n', 'MAIL_INVALID'],
  ])
  return refused
}

function nestedParts(depth) {
  let text = 'From: a@example.org\r\n'
  for (let level = 0; level < depth; level += 1) {
    text += `Content-Type: multipart/mixed; boundary="b${level}"\r\n\r\n--b${level}\r\n`
  }
  return `${text}Content-Type: text/plain\r\n\r\nx\r\n`
}
