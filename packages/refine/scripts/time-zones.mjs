// Writes src/time-zones/zone-data.ts out of the TZif files (RFC 9636) of this machine's tz database (public domain).
// Run by hand when the database changes: node packages/refine/scripts/time-zones.mjs [/usr/share/zoneinfo]
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = process.argv[2] ?? '/usr/share/zoneinfo'
const target = join(dirname(fileURLToPath(import.meta.url)), '../src/time-zones/zone-data.ts')
const source = readFileSync(join(folder, 'tzdata.zi'), 'utf8')
const version = /^# version (\S+)/.exec(source)[1]
const names = new Set()
for (const line of source.split('\n')) {
  const fields = line.split(' ')
  if (fields[0] === 'Z') names.add(fields[1])
  if (fields[0] === 'L') names.add(fields[2])
}

function read(name) {
  const bytes = readFileSync(join(folder, name))
  const count = (at) => [0, 4, 8, 12, 16, 20].map((offset) => bytes.readUInt32BE(at + 20 + offset))
  const [isut, isstd, leap, time, type, chars] = count(0)
  const second = 44 + time * 5 + type * 6 + chars + leap * 8 + isstd + isut
  const [isut2, isstd2, leap2, time2, type2, chars2] = count(second)
  let at = second + 44
  const times = Array.from({ length: time2 }, (_, index) => Number(bytes.readBigInt64BE(at + 8 * index)))
  at += 8 * time2
  const kinds = Array.from({ length: time2 }, (_, index) => bytes[at + index])
  at += time2
  const offsets = Array.from({ length: type2 }, (_, index) => bytes.readInt32BE(at + 6 * index))
  at += 6 * type2 + chars2 + 12 * leap2 + isstd2 + isut2
  const rule = bytes.subarray(at).toString('ascii').trim()
  return { times, kinds, offsets, rule }
}

const zones = new Map()
const entries = []
for (const name of [...names].sort()) {
  const { times, kinds, offsets, rule } = read(name)
  let before = offsets[0]
  const steps = []
  for (const [index, time] of times.entries()) {
    const offset = offsets[kinds[index]]
    // Before 1970 the database is less sure of itself, and so is this table: one offset, that of 1970.
    if (time >= 0 && offset !== before) steps.push([time, offset])
    before = offset
  }
  let first = offsets[0]
  for (const [index, time] of times.entries()) if (time < 0) first = offsets[kinds[index]]
  // What a rule repeats each year from its first year on is left to the rule.
  const daylight = rule.includes(',')
  let keep = steps.length
  if (daylight) {
    keep = tailStart(steps, rule, first)
  }
  const text = [
    rule,
    String(first),
    steps
      .slice(0, keep)
      .map(([time, offset], index) => {
        const previous = index === 0 ? 0 : steps[index - 1][0]
        return `${(time - previous).toString(36)}:${(offset / 60).toString()}`
      })
      .join(' '),
  ].join('|')
  const same = zones.get(text)
  if (same === undefined) {
    zones.set(text, name)
    entries.push([name, text])
  } else entries.push([name, `=${same}`])
}

function tailStart(steps, rule, first) {
  const { offsetByRule } = ruleReader(rule)
  let keep = steps.length
  while (keep > 0) {
    const [time, offset] = steps[keep - 1]
    const before = keep > 1 ? steps[keep - 2][1] : first
    if (offsetByRule(time) !== offset || offsetByRule(time - 1) !== before) break
    // Between this step and the next one the rule must have none of its own.
    const next = steps[keep]?.[0] ?? time
    let quiet = true
    for (let at = time; at < next; at += 604_800) quiet &&= offsetByRule(at) === offset
    if (!quiet) break
    keep -= 1
  }
  // One step stays, so that what comes before the rule is known.
  return Math.min(steps.length, keep + 1)
}

function ruleReader(rule) {
  const name = '(?:<[^>]+>|[A-Za-z]+)'
  const clock = '[+-]?\\d+(?::\\d+)?(?::\\d+)?'
  const match = new RegExp(`^${name}(${clock})${name}(${clock})?,([^,]+),([^,]+)$`).exec(rule)
  const seconds = (text) => {
    const sign = text.startsWith('-') ? -1 : 1
    const [h, m = 0, s = 0] = text.replace(/^[+-]/, '').split(':').map(Number)
    return sign * (h * 3600 + m * 60 + s)
  }
  const standard = -seconds(match[1])
  const summer = match[2] === undefined ? standard + 3600 : -seconds(match[2])
  const moment = (text, year) => {
    const [date, clockText = '2'] = text.split('/')
    const time = seconds(clockText)
    if (date.startsWith('M')) {
      const [month, week, weekday] = date.slice(1).split('.').map(Number)
      const firstDay = Date.UTC(year, month - 1, 1) / 86_400_000
      const length = Date.UTC(year, month, 1) / 86_400_000 - firstDay
      let day = firstDay + ((weekday - ((firstDay + 4) % 7) + 7) % 7) + 7 * (week - 1)
      if (day >= firstDay + length) day -= 7
      return day * 86_400 + time
    }
    const leap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1
    const start = Date.UTC(year, 0, 1) / 86_400_000
    if (date.startsWith('J')) {
      const number = Number(date.slice(1))
      return (start + number - 1 + (leap && number >= 60 ? 1 : 0)) * 86_400 + time
    }
    return (start + Number(date)) * 86_400 + time
  }
  return {
    offsetByRule: (at) => {
      const year = new Date((at + standard) * 1000).getUTCFullYear()
      const begin = moment(match[3], year) - standard
      const end = moment(match[4], year) - summer
      const on = begin < end ? at >= begin && at < end : at >= begin || at < end
      return on ? summer : standard
    },
  }
}

// One line per region: the file stays short, and a change of the database shows where it is.
const regions = new Map()
for (const [name, text] of entries) {
  const region = name.includes('/') ? name.slice(0, name.indexOf('/')) : ''
  regions.set(region, [...(regions.get(region) ?? []), `${name}|${text}`])
}
const lines = [...regions.values()].map((zones) => `  '${zones.join(';')}',`)
writeFileSync(
  target,
  `/**
 * Offsets of all zones of the tz database since 1970, written by scripts/time-zones.mjs; do not edit.
 * Zones are joined by \`;\`, each: name | rule of the years to come (POSIX TZ) | seconds east of UTC at first | steps, each the
 * seconds since the step before (base 36) and the new offset in minutes. \`=\` in place of a rule names another zone.
 */

/** Version of the tz database (public domain, iana.org/time-zones) in this file. */
export const zoneDataVersion = '${version}'

/** Packed zones by region. */
export const zoneData: readonly string[] = [
${lines.join('\n')}
]
`,
)
console.log(version, entries.length, 'zones,', lines.join('\n').length, 'characters')
