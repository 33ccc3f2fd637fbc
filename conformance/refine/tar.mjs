// Hand-made tar archives, so that each field can lie, and those that must be refused.
import { gzipSync } from 'node:zlib'

const block = 512
const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((block - (bytes.length % block)) % block)])

/** A member: its header and content. `raw` are bytes put into the header at places of their own, before the check sum is made. */
function member({
  name,
  data = Buffer.alloc(0),
  kind = '0',
  form = 'posix',
  prefix = '',
  raw = [],
  ...lies
}) {
  const content = Buffer.from(data)
  const header = Buffer.alloc(block)
  header.write(name, 0, 100)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(lies.size ?? `${content.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write(kind, 156, 'latin1')
  header.write(lies.magic ?? (form === 'gnu' ? 'ustar  \0' : 'ustar\x0000'), 257, 'latin1')
  header.write(prefix, 345, 155)
  for (const [at, bytes] of raw) Buffer.from(bytes).copy(header, at)
  const sum = header.reduce((total, byte) => total + byte, 0) + (lies.sum ?? 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const body = padded(content)
  if (lies.padding !== undefined) body[body.length - 1] = lies.padding
  return Buffer.concat([header, body])
}

/** A record of an extended header; its length counts itself. */
export function paxRecord(key, value) {
  const rest = Buffer.from(` ${key}=${value}\n`)
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length += 1
  return Buffer.concat([Buffer.from(String(length)), rest])
}

/**
 * An archive.
 *
 * @param members - `name`, `data`, `kind`, and whatever of a header shall lie; a Buffer stands for itself
 * @param options - `end`: what stands at its end instead of two blocks of zeros
 */
export function tar(members, { end = Buffer.alloc(2 * block) } = {}) {
  return new Uint8Array(
    Buffer.concat([...members.map((each) => (Buffer.isBuffer(each) ? each : member(each))), end]),
  )
}

/** An extended header of the next file, or of all of them (`g`). */
export const pax = (records, kind = 'x') => ({
  name: 'PaxHeaders/a',
  kind,
  data: Buffer.concat(records.map((each) => (Buffer.isBuffer(each) ? each : paxRecord(...each)))),
})
const longName = (name, kind = 'L') => ({
  name: '././@LongLink',
  kind,
  form: 'gnu',
  data: Buffer.from(`${name}\0`),
})

/** [name, file, bytes, code, limits] of archives that a refiner of rows must refuse. @param data - of a good file */
export function malformedTars(data) {
  const good = { name: 'a.jsonl', data }
  const is = (name, members, code = 'ARCHIVE_INVALID', options = {}, limits = undefined) => [
    `tar: ${name}`,
    'a.tar',
    tar(members, options),
    code,
    limits,
  ]
  const bomb = [{ name: 'a.jsonl', data: Buffer.alloc(4 << 20, 10) }]
  return [
    is('a path that climbs', [{ ...good, name: '../a.jsonl' }]),
    is('a path that climbs below a point', [{ ...good, name: './../a.jsonl' }]),
    is('an absolute path', [{ ...good, name: '/etc/a.jsonl' }]),
    is('an absolute prefix', [{ ...good, prefix: '/etc' }]),
    is('a drive', [{ ...good, name: 'C:/a.jsonl' }]),
    is('back slashes', [{ ...good, name: '..\\a.jsonl' }]),
    is('something behind a NUL in a path', [{ ...good, name: 'a.jsonl\0.txt' }]),
    is('an empty part of a path', [{ ...good, name: 'a//a.jsonl' }]),
    is('no path', [{ ...good, name: '' }]),
    is('a path that climbs in an extended header', [pax([['path', '../a.jsonl']]), good]),
    is('a NUL in the path of an extended header', [pax([['path', 'a\0.jsonl']]), good]),
    is('a path that climbs in a long name', [longName('../a.jsonl'), { ...good, form: 'gnu' }]),
    is('a path that is no UTF-8', [{ ...good, raw: [[0, [0xff]]] }], 'ENCODING_INVALID'),
    is(
      'an extended header of another character set',
      [pax([['hdrcharset', 'BINARY']]), good],
      'ENCODING_INVALID',
    ),
    is(
      'a path of too many parts',
      [{ ...good, name: `${'d/'.repeat(45)}a.jsonl` }],
      'LIMIT_EXCEEDED',
      {},
      { depth: 40 },
    ),
    is('a hard link', [good, { name: 'b.jsonl', kind: '1' }]),
    is('a symbolic link', [good, { name: 'b.jsonl', kind: '2' }]),
    is('a character device', [good, { name: 'b', kind: '3' }]),
    is('a block device', [good, { name: 'b', kind: '4' }]),
    is('a pipe', [good, { name: 'b', kind: '6' }]),
    is('a kind of a maker’s own', [good, { name: 'b', kind: 'Z' }]),
    is('a file with holes of old GNU tar', [{ ...good, kind: 'S', form: 'gnu' }]),
    is('a file with holes of pax', [pax([['GNU.sparse.major', '1']]), good]),
    is('a file with holes of star', [pax([['SCHILY.realsize', '9999999']]), good]),
    is('a part of several volumes', [{ ...good, kind: 'M', form: 'gnu' }]),
    is('a folder of a backup', [{ ...good, kind: 'D', form: 'gnu' }]),
    is('times where a path may stand', [{ ...good, form: 'gnu', raw: [[345, '00000000000']] }]),
    is('two files of one path', [good, good]),
    is('two files of one path in other case', [good, { ...good, name: 'A.JSONL' }]),
    is('two files of one path, one below a point', [good, { ...good, name: './a.jsonl' }]),
    is('a file that is a folder', [
      { ...good, name: 'a' },
      { ...good, name: 'a/b.jsonl' },
    ]),
    is('a folder that is a file', [
      { ...good, name: 'a/b.jsonl' },
      { ...good, name: 'a' },
    ]),
    is('an empty folder that is a file', [
      { name: 'a/', kind: '5' },
      { ...good, name: 'a' },
    ]),
    is('a folder with content', [{ ...good, name: 'a/', kind: '5' }]),
    is('a folder whose content is a file', [
      { name: 'a/', kind: '5', data: tar([good], { end: Buffer.alloc(0) }) },
    ]),
    is('a file with the name of a folder', [{ ...good, name: 'a/' }]),
    is('a wrong check sum', [{ ...good, sum: 1 }]),
    is('another mark', [good, { ...good, name: 'b.jsonl', magic: 'ustar\0 0' }]),
    is('a form older than POSIX', [{ ...good, magic: '\0\0\0\0\0\0\0\0' }]),
    is('a size that is no number', [{ ...good, size: '0000000008x\0' }]),
    is('a negative size', [{ ...good, form: 'gnu', size: '\xff'.repeat(12) }]),
    is('a binary size of another mark', [{ ...good, form: 'gnu', size: `\x81${'\0'.repeat(10)}\x30` }]),
    is('a binary size that is not GNU’s', [{ ...good, size: `\x80${'\0'.repeat(10)}\x30` }]),
    is('a size past all numbers', [{ ...good, form: 'gnu', size: `\x80${'\xff'.repeat(11)}` }]),
    is('a size that is too large', [{ ...good, size: '00000100000\0' }]),
    is('a size of more than is allowed', [{ ...good, size: '77777777777\0' }], 'LIMIT_EXCEEDED'),
    is('two sizes', [pax([['size', '10']]), good]),
    is('a size of an extended header that is no number', [pax([['size', '-1']]), good]),
    is('something behind a file', [{ ...good, padding: 1 }]),
    is('an extended header that says one thing twice', [
      pax([
        ['path', 'a.jsonl'],
        ['path', 'b.jsonl'],
      ]),
      good,
    ]),
    is('two extended headers', [pax([['path', 'a.jsonl']]), pax([['path', 'b.jsonl']]), good]),
    is('an extended header and a long name', [pax([['path', 'a.jsonl']]), longName('b.jsonl'), good]),
    is('an extended header of nothing', [good, pax([['path', 'b.jsonl']])]),
    is('one path for all files', [pax([['path', 'b.jsonl']], 'g'), good]),
    is('one size for all files', [pax([['size', '48']], 'g'), good]),
    is('a record that is longer than its header', [pax([Buffer.from('999 path=a\n')]), good]),
    is('a record without its end', [pax([Buffer.from('11 path=abc')]), good]),
    is('a record without a length', [pax([Buffer.from('path=a\n')]), good]),
    is('a record of length zero', [pax([Buffer.from('0 path=a\n')]), good]),
    is('a record without a key', [pax([Buffer.from('5 =a\n')]), good]),
    is('a huge extended header', [pax([['comment', 'x'.repeat(2 << 20)]]), good], 'LIMIT_EXCEEDED'),
    is(
      'too many entries',
      Array.from({ length: 50 }, (_, index) => ({ ...good, name: `${index}.jsonl` })),
      'LIMIT_EXCEEDED',
      {},
      { entries: 40 },
    ),
    is(
      'too many headers of all files',
      [...Array.from({ length: 50 }, () => pax([['comment', 'x']], 'g')), good],
      'LIMIT_EXCEEDED',
      {},
      { entries: 40 },
    ),
    is('no end', [good], 'ARCHIVE_INVALID', { end: Buffer.alloc(0) }),
    is('half an end', [good], 'ARCHIVE_INVALID', { end: Buffer.alloc(block) }),
    is('a file behind half an end', [good, Buffer.alloc(block), { ...good, name: 'b.jsonl' }]),
    is('half an end and one block', [good, Buffer.alloc(block), Buffer.alloc(block, 1)]),
    is('a file behind the end', [good, Buffer.alloc(2 * block), { ...good, name: 'b.jsonl' }]),
    is('an end cut off', [good], 'ARCHIVE_INVALID', { end: Buffer.alloc(block + 100) }),
    is('an archive of nothing to read', [{ ...good, name: 'a.txt' }], 'FORMAT_UNKNOWN'),
    ['tar: a file cut off', 'a.tar', tar([good]).subarray(0, block + 10), 'ARCHIVE_INVALID'],
    ['tar: a header cut off', 'a.tar', tar([good, good]).subarray(0, 2 * block + 10), 'ARCHIVE_INVALID'],
    ['tar: text by the name of one', 'a.tar', new Uint8Array(data), 'ARCHIVE_INVALID'],
    ['tar: zeros and nothing else', 'a.tar', new Uint8Array(10_240), 'FORMAT_UNKNOWN'],
    ['tar: a bomb', 'a.tgz', new Uint8Array(gzipSync(tar(bomb))), 'LIMIT_EXCEEDED'],
    [
      'tar: a bomb of zeros behind the end',
      'a.tgz',
      new Uint8Array(gzipSync(tar([good], { end: Buffer.alloc(4 << 20) }))),
      'LIMIT_EXCEEDED',
    ],
    [
      'tar: a tar in a tar in a tar in a tar',
      'a.tar',
      tar([
        { name: 'b.tar', data: tar([{ name: 'c.tar', data: tar([{ name: 'd.tar', data: tar([good]) }]) }]) },
      ]),
      'LIMIT_EXCEEDED',
    ],
  ]
}
