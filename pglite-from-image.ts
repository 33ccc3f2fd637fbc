/** What test files get as `@electric-sql/pglite`; see empty-database.ts. */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { inject } from 'vitest'

export * from '@electric-sql/pglite'

const create = PGlite.create.bind(PGlite)

/** Whether the options ask for nothing but an empty database in memory. */
function asksForEmpty(options: PGliteOptions): boolean {
  return Object.keys(options).every((name) => name === 'initDbStartParams')
}

/** Another test file may be making the same: each writes its own, and a whole one takes the name. */
async function keep(database: PGlite, path: string): Promise<void> {
  await database.exec('checkpoint')
  const image = await database.dumpDataDir('none')
  const part = `${path}.${randomUUID()}`
  await writeFile(part, new Uint8Array(await image.arrayBuffer()))
  await rename(part, path)
}

async function createFromImage(options: PGliteOptions): Promise<PGlite> {
  if (!asksForEmpty(options)) return create(options)
  const form = createHash('sha256').update(JSON.stringify(options)).digest('hex')
  const path = join(inject('emptyDatabases'), form)
  if (existsSync(path)) return create({ ...options, loadDataDir: new Blob([await readFile(path)]) })
  const database = await create(options)
  await keep(database, path)
  return database
}

Object.assign(PGlite, {
  create: (first: PGliteOptions | string = {}, second?: PGliteOptions): Promise<PGlite> =>
    typeof first === 'string' ? create(first, second) : createFromImage(first),
})
