// Flat exports for the bench of file jobs, and refiners for them: a mapping that is data, one whose columns are made by functions in
// QuickJS, one of whole columns that QuickJS steers, and one that is code per record.
import { closeSync, openSync, writeSync } from 'node:fs'

const occupations = ['management', 'sales', 'clerical', 'service', 'professional', 'other']

/** A row of the export. */
export const rowOf = (index) => ({
  wage: ((500 + ((index * 7919) % 4000)) / 100).toFixed(2),
  union: index % 5 === 0 ? 1 : 0,
  occupation: occupations[index % 6],
  hours: index % 7 === 0 ? null : 20 + (index % 40),
  experience: index % 50,
  since: `20${String(index % 24).padStart(2, '0')}-0${1 + (index % 9)}-1${index % 9}`,
})

const lines = {
  csv: (row) =>
    `${row.wage},${row.union},${row.occupation},${row.hours ?? ''},${row.experience},${row.since}\n`,
  jsonl: (row) => `${JSON.stringify({ ...row, wage: Number(row.wage) })}\n`,
}

/** After so many rows they come again: the common multiple of all that a row is made of. */
const period = 252_000

/** Writes an export of at least `bytes` or of `rows`. @returns how many rows it has */
export function writeExport(
  path,
  format,
  { rows = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY },
) {
  const file = openSync(path, 'w')
  let count = 0
  let size = 0
  let text = format === 'csv' ? 'wage,union,occupation,hours,experience,since\n' : ''
  let block
  while (count < rows && size < bytes) {
    if (count % period === 0 && rows - count >= period && bytes - size > 100 * period) {
      size += writeSync(file, text)
      text = ''
      block ??= Buffer.from(
        Array.from({ length: period }, (_, index) => lines[format](rowOf(index))).join(''),
      )
      size += writeSync(file, block)
      count += period
      continue
    }
    text += lines[format](rowOf(count))
    count += 1
    if (text.length > 1 << 20) {
      size += writeSync(file, text)
      text = ''
    }
  }
  writeSync(file, text)
  closeSync(file)
  return count
}

const tables = `tables: { workers: { description: 'One row per worker.', columns: {
    wage: { type: 'decimal', decimals: 2, unit: '{USD}/h', min: 0, max: 100, description: 'Hourly wage.' },
    member: { type: 'boolean', description: 'Member of a trade union.' },
    occupation: { type: 'text', values: ${JSON.stringify(occupations)}, description: 'Occupation group.' },
    hours: { type: 'integer', unit: 'h', nullable: true, min: 0, max: 168, description: 'Hours per week.' },
    experience: { type: 'integer', unit: 'a', min: 0, max: 80, description: 'Years of work.' },
    since: { type: 'date', description: 'First day.' },
  } } },`
const head =
  "import { defineRefiner } from '@sealpool/refine/define'\nexport default defineRefiner({ id: 'payroll', version: '1.0.0', source: 'rows',"

/** Module texts by kind of mapping. */
export const refiners = {
  data: `${head} ${tables} direct: { table: 'workers', columns: {
    wage: { from: 'wage' }, member: { from: 'union', values: { '1': true, '0': false } }, occupation: { from: 'occupation' },
    hours: { from: 'hours' }, experience: { from: 'experience' }, since: { from: 'since' } } } })`,
  functions: `${head} ${tables} direct: { table: 'workers', columns: {
    wage: { from: 'wage', by: 'same' }, member: { from: 'union', by: 'member' }, occupation: { from: 'occupation', by: 'same' },
    hours: { from: 'hours', by: 'whole' }, experience: { from: 'experience', by: 'whole' }, since: { from: 'since', by: 'same' } } },
    functions: { same: (value) => value, member: (value) => String(value) === '1', whole: (value) => value === null ? null : Number(value) } })`,
  // The interpreter steers; every value is moved and computed by batch functions.
  columns: `${head} ${tables} fields: ['wage', 'union', 'occupation', 'hours', 'experience', 'since'], mapColumns: (table) => ({ workers: table
    .map('member', ['=', ['number', ['column', 'union']], 1]).map('hours', ['number', ['column', 'hours']])
    .map('experience', ['number', ['column', 'experience']]) }) })`,
  code: `${head} ${tables} map: (row) => ({ workers: [{ wage: row.wage, member: String(row.union) === '1', occupation: row.occupation,
    hours: row.hours === '' || row.hours === null ? null : Number(row.hours), experience: Number(row.experience), since: row.since }] }) })`,
}
