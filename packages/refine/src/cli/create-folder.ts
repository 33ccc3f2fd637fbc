import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../file-job/make-folder.js'
import { UsageError } from './arguments.js'

const refiner = `import { defineRefiner } from '@sealpool/refine/define'

/** Rows of any flat export (CSV, JSON Lines, JSON list, Parquet, SQLite) into one table. The mapping is data. */
export default defineRefiner({
  id: 'receipts',
  version: '1.0.0',
  source: 'rows',
  tables: {
    receipts: {
      description: 'One row per receipt.',
      columns: {
        day: { type: 'date', description: 'Day of the purchase.' },
        shop: { type: 'text', maxLength: 80, description: 'Name of the shop.' },
        total: { type: 'decimal', decimals: 2, unit: '{EUR}', min: 0, max: 100000, description: 'Total of the receipt.' },
        card: { type: 'boolean', nullable: true, description: 'Was it paid by card?' },
      },
    },
  },
  direct: {
    table: 'receipts',
    columns: {
      day: { from: 'date' },
      shop: { from: 'shop' },
      total: { from: 'total' },
      card: { from: 'paid_by', values: { card: true, cash: false, '': null } },
    },
  },
})
`
const parts = ['exports', 'refused']
const files: Readonly<Record<string, string>> = {
  'refiner.ts': refiner,
  'exports/good.csv':
    'date,shop,total,paid_by\n2024-02-29,Corner shop,12.50,card\n2024-03-01,"Bakery, north",3.10,cash\n',
  'exports/same.jsonl':
    '{"date":"2024-02-29","shop":"Corner shop","total":"12.50","paid_by":"card"}\n{"date":"2024-03-01","shop":"Bakery, north","total":3.1,"paid_by":"cash"}\n',
  'refused/bad-day.csv': 'date,shop,total,paid_by\n2024-02-30,Corner shop,12.50,card\n',
  'README.md': `# A refiner

    npx sealpool-refine check refiner.ts exports     # both files are taken
    npx sealpool-refine check refiner.ts refused     # tells where and why not
    npx sealpool-refine run refiner.ts exports --out refined
    npx sealpool-refine mock refiner.ts --rows 5
    npx sealpool-refine describe refiner.ts --as duckdb
`,
}

/**
 * Writes a new refiner with exports to try it on.
 *
 * @param folder - a folder that is not there or empty
 * @returns the paths that were written
 * @throws UsageError when something stands in the folder; the system's error when the files cannot be written, and then nothing is left of them; RefineError with `ARGUMENT_INVALID` when it cannot be made
 */
export async function createFolder(folder: string): Promise<readonly string[]> {
  await makeFolder(folder, { place: 'folder', mode: 0o777 })
  if ((await readdir(folder)).length > 0) throw new UsageError('the folder is not empty')
  try {
    for (const part of parts) await mkdir(join(folder, part))
    for (const [name, text] of Object.entries(files))
      await writeFile(join(folder, name), text, { flag: 'wx' })
  } catch (error) {
    // It was empty: with half of it in it the same command would be refused.
    for (const made of [...parts, ...Object.keys(files)])
      await rm(join(folder, made), { recursive: true, force: true })
    throw error
  }
  return Object.keys(files)
}
