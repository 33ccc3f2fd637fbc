// The same rows and the same samples in every format, built here: `rows()` and `activities()` give files by name.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { zipSync } from 'fflate'
import initSqlJs from 'sql.js'
import { pax, tar } from './tar.mjs'

const utf8 = (text) => new TextEncoder().encode(text)
const shops = ['Corner shop', 'Bakery, "north"', 'Café 😀', 'Line\nbreak']

/** Receipts; totals are text where a format has no decimals. */
export const receipts = Array.from({ length: 40 }, (_, index) => ({
  date: `2024-0${1 + (index % 9)}-1${index % 9}`,
  shop: shops[index % 4],
  total: ((index * 137) / 100).toFixed(2),
  paid_by: ['card', 'cash', null][index % 3],
  at: `2024-01-01T00:${String(index).padStart(2, '0')}:00.25Z`,
}))

const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const names = Object.keys(receipts[0])
const csv = (end, field) =>
  [names.join(','), ...receipts.map((row) => names.map((name) => field(row[name] ?? '')).join(','))]
    .map((line) => line + end)
    .join('')
const utf16 = (text, big) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return new Uint8Array(big ? bytes.swap16() : bytes)
}

async function duckdbFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-exports-'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(
      `CREATE TABLE r (date DATE, shop VARCHAR, total DECIMAL(9, 2), paid_by VARCHAR, "at" TIMESTAMPTZ); SET TimeZone = 'UTC'`,
    )
    for (const row of receipts) {
      const values = names.map((name) =>
        row[name] === null ? 'NULL' : `'${String(row[name]).replaceAll("'", "''")}'`,
      )
      await connection.run(`INSERT INTO r VALUES (${values.join(', ')})`)
    }
    const files = {}
    for (const compression of ['uncompressed', 'snappy', 'gzip', 'zstd']) {
      const path = join(folder, `${compression}.parquet`)
      await connection.run(
        `COPY r TO '${path}' (FORMAT parquet, COMPRESSION ${compression}, ROW_GROUP_SIZE 2048)`,
      )
      files[`${compression}.parquet`] = new Uint8Array(readFileSync(path))
    }
    return files
  } finally {
    connection.closeSync()
    instance.closeSync()
    rmSync(folder, { recursive: true })
  }
}

async function sqliteFile() {
  const sql = await initSqlJs()
  const database = new sql.Database()
  database.run('CREATE TABLE receipts (date TEXT, shop TEXT, total NUMERIC, paid_by TEXT, at TEXT)')
  for (const row of receipts)
    database.run(
      'INSERT INTO receipts VALUES (?, ?, ?, ?, ?)',
      names.map((name) => row[name]),
    )
  const bytes = database.export()
  database.close()
  return bytes
}

/** Name to bytes of every flat format. */
export async function rows() {
  const jsonl = receipts.map((row) => JSON.stringify(row)).join('\n')
  const typed = receipts.map((row) => JSON.stringify({ ...row, total: Number(row.total) })).join('\r\n')
  const plain = {
    'plain.csv': utf8(csv('\n', quoted)),
    'quoted-crlf.csv': utf8(csv('\r\n', (text) => `"${text.replaceAll('"', '""')}"`)),
    'marked.csv': utf8(`\ufeff${csv('\n', quoted)}`),
    'utf-16-le.csv': utf16(csv('\n', quoted), false),
    'utf-16-be.csv': utf16(csv('\n', quoted), true),
    'plain.jsonl': utf8(`${jsonl}\n`),
    'typed.ndjson': utf8(typed),
    'list.json': utf8(JSON.stringify(receipts, null, 2)),
    'table.sqlite': await sqliteFile(),
    ...(await duckdbFiles()),
  }
  const packed = {}
  for (const [name, bytes] of Object.entries(plain)) {
    packed[`${name}.gz`] = new Uint8Array(gzipSync(bytes))
    packed[`${name}.zip`] = zipSync({ [`export/${name}`]: bytes, 'export/readme.txt': utf8('not read') })
  }
  const half = Math.floor(receipts.length / 2)
  packed['two-files.zip'] = zipSync({
    'a.jsonl': utf8(
      receipts
        .slice(0, half)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    ),
    'b/c.json': utf8(JSON.stringify(receipts.slice(half))),
  })
  packed['nested.zip'] = zipSync({ 'inner.csv.gz': new Uint8Array(gzipSync(plain['plain.csv'])) })
  const member = { name: './export/plain.csv', data: plain['plain.csv'] }
  const archive = [{ name: './', kind: '5' }, { name: './export/', kind: '5' }, member]
  packed['plain.tar'] = tar([...archive, { name: 'export/readme.txt', data: utf8('not read') }])
  packed['plain.tar.gz'] = new Uint8Array(gzipSync(tar(archive)))
  packed['named.tgz'] = new Uint8Array(
    gzipSync(
      tar([
        pax([['comment', 'made by hand']], 'g'),
        pax([
          ['path', `${'é'.repeat(90)}/plain.csv`],
          ['mtime', '1714521600.5'],
        ]),
        { ...member, name: 'cut' },
      ]),
    ),
  )
  packed['in-tar.tar'] = tar([{ name: 'a/inner.zip', data: packed['plain.csv.zip'] }])
  packed['tar-inside.zip'] = zipSync({ 'inner.tar': tar([member]) })
  packed['stored.zip'] = zipSync({ 'plain.csv': [plain['plain.csv'], { level: 0 }] })
  return { ...plain, ...packed }
}

/** Samples of a ride in values that every format holds exactly. */
export const ride = Array.from({ length: 30 }, (_, index) => ({
  time: `2024-05-01T06:00:${String(index).padStart(2, '0')}Z`,
  latitude: 52.5 + index / 1024,
  longitude: 13.25 + index / 2048,
  altitude: 35 + index / 5,
  heartRate: 100 + index,
  cadence: 80 + (index % 10),
}))

const gpx = () => `<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="case" xmlns="http://www.topografix.com/GPX/1/1" xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">
<trk><name>Ride &amp; more</name><type>cycling</type><trkseg>
${ride.map((s) => `<trkpt lat="${s.latitude}" lon="${s.longitude}"><ele>${s.altitude}</ele><time>${s.time}</time><extensions><gpxtpx:TrackPointExtension><gpxtpx:hr>${s.heartRate}</gpxtpx:hr><gpxtpx:cad>${s.cadence}</gpxtpx:cad></gpxtpx:TrackPointExtension></extensions></trkpt>`).join('\n')}
</trkseg></trk></gpx>
`
const tcx = () => `<?xml version="1.0"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities><Activity Sport="Cycling"><Id>2024-05-01T06:00:00Z</Id><Lap StartTime="2024-05-01T06:00:00Z"><MaximumHeartRateBpm><Value>200</Value></MaximumHeartRateBpm><Track>
${ride.map((s) => `<Trackpoint><Time>${s.time}</Time><Position><LatitudeDegrees>${s.latitude}</LatitudeDegrees><LongitudeDegrees>${s.longitude}</LongitudeDegrees></Position><AltitudeMeters>${s.altitude}</AltitudeMeters><HeartRateBpm><Value>${s.heartRate}</Value></HeartRateBpm><Cadence>${s.cadence}</Cadence></Trackpoint>`).join('\n')}
</Track></Lap></Activity></Activities></TrainingCenterDatabase>
`

const crcTable = [
  0, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01,
  0x8801, 0x4400,
]
function crc16(bytes) {
  let crc = 0
  for (const byte of bytes)
    for (const nibble of [byte & 15, byte >> 4])
      crc = ((crc >> 4) & 0xfff) ^ crcTable[crc & 15] ^ crcTable[nibble]
  return crc
}

/** A FIT file of messages, with header and check sums. */
export function fitFile(messages) {
  const body = Buffer.concat(messages)
  const header = Buffer.alloc(14)
  header[0] = 14
  header[1] = 0x20
  header.writeUInt16LE(2140, 2)
  header.writeUInt32LE(body.length, 4)
  header.write('.FIT', 8)
  header.writeUInt16LE(crc16(header.subarray(0, 12)), 12)
  const whole = Buffer.concat([header, body, Buffer.alloc(2)])
  whole.writeUInt16LE(crc16(whole.subarray(0, -2)), whole.length - 2)
  return new Uint8Array(whole)
}

/** Messages of {@link ride}: records, then the session with the sport. @param big - big-endian? */
export function fitMessages(big = false) {
  const fields = [
    [253, 4, 0x86],
    [0, 4, 0x85],
    [1, 4, 0x85],
    [2, 2, 0x84],
    [3, 1, 0x02],
    [4, 1, 0x02],
  ]
  const define = (local, global, list) => {
    const bytes = Buffer.from([0x40 | local, 0, big ? 1 : 0, 0, 0, list.length, ...list.flat()])
    if (big) bytes.writeUInt16BE(global, 3)
    else bytes.writeUInt16LE(global, 3)
    return bytes
  }
  const record = (s) => {
    const bytes = Buffer.alloc(17)
    const u32 = (value, at) => (big ? bytes.writeUInt32BE(value, at) : bytes.writeUInt32LE(value, at))
    const i32 = (value, at) => (big ? bytes.writeInt32BE(value, at) : bytes.writeInt32LE(value, at))
    u32(Date.parse(s.time) / 1000 - 631_065_600, 1)
    i32(Math.round((s.latitude / 180) * 2 ** 31), 5)
    i32(Math.round((s.longitude / 180) * 2 ** 31), 9)
    const altitude = Math.round((s.altitude + 500) * 5)
    if (big) bytes.writeUInt16BE(altitude, 13)
    else bytes.writeUInt16LE(altitude, 13)
    bytes[15] = s.heartRate
    bytes[16] = s.cadence
    return bytes
  }
  return [define(0, 20, fields), ...ride.map(record), define(1, 18, [[5, 1, 0x00]]), Buffer.from([1, 2])]
}

/** Name to bytes of every format of activities. */
export function activities() {
  const plain = {
    'ride.gpx': utf8(gpx()),
    'ride.tcx': utf8(tcx()),
    'ride.fit': fitFile(fitMessages()),
    'ride-big.fit': fitFile(fitMessages(true)),
  }
  return {
    ...plain,
    'ride.gpx.gz': new Uint8Array(gzipSync(plain['ride.gpx'])),
    'rides.zip': zipSync({ 'activities/ride.fit': plain['ride.fit'], 'profile.json': utf8('{}') }),
  }
}

/** An Apple Health export with its document type. */
export const healthExport = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary)*)>
<!ATTLIST HealthData locale CDATA #REQUIRED>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
]>
<HealthData locale="en_GB"><ExportDate value="2024-05-02 08:00:00 +0200"/><Me HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexNotSet"/>
<Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Watch" unit="count/min" creationDate="2024-05-01 08:00:05 +0200" startDate="2024-05-01 08:00:00 +0200" endDate="2024-05-01 08:00:00 +0200" value="62"><MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="1"/></Record>
<Record type="HKQuantityTypeIdentifierDistanceWalkingRunning" sourceName="Phone" unit="mi" startDate="2024-05-01 09:00:00 +0200" endDate="2024-05-01 09:10:00 +0200" value="0.5"/>
<Correlation type="HKCorrelationTypeIdentifierBloodPressure"><Record type="HKQuantityTypeIdentifierBloodPressureSystolic" unit="mmHg" startDate="2024-05-01 09:00:00 +0200" endDate="2024-05-01 09:00:00 +0200" value="120"/></Correlation>
<Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="30" durationUnit="min" startDate="2024-05-01 18:00:00 +0200" endDate="2024-05-01 18:30:00 +0200"/>
<ActivitySummary dateComponents="2024-05-01" activeEnergyBurned="420"/>
</HealthData>
`

/** A mailbox: quoting, folded and encoded headers, parts, an attachment, a date without a zone. */
export const mailbox = [
  'From ann@example.org Wed May  1 08:00:00 2024',
  'From: =?utf-8?q?J=C3=BCrgen?= <juergen@example.org>',
  'To: Ann <ann@example.org>, bob@example.org',
  'Subject: =?utf-8?b?R3LDvMOfZQ==?=',
  ' and more',
  'Date: Wed, 1 May 2024 10:00:00 +0200 (CEST)',
  'Message-ID: <1@example.org>',
  'Content-Type: text/plain; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'Caf=E9 at four?',
  '>From here it is ten minutes.',
  '',
  'From bob@example.org Wed May  1 09:00:00 2024',
  'From: bob@example.org',
  'To: ann@example.org',
  'Subject: picture',
  'Date: Wed, 1 May 2024 11:00:00',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="b1"',
  '',
  '--b1',
  'Content-Type: text/plain',
  '',
  'See the picture.',
  '--b1',
  'Content-Type: image/png; name="a.png"',
  'Content-Disposition: attachment; filename="a.png"',
  'Content-Transfer-Encoding: base64',
  '',
  'iVBORw0KGgo=',
  '--b1--',
  '',
].join('\r\n')
