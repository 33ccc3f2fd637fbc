import { mkdir, opendir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeEncryptedParquet } from '@sealpool/refine/duckdb'
import type { PartStore } from '../ingest/ingest-context.js'

/**
 * Encrypted table files under `<folder>/<pool>/<refinement>-<table>.parquet`.
 * @param folder folder of all pools' tables, made when absent
 */
export function partFolder(folder: string): PartStore {
  return {
    async write({ pool, refinement, table, rows, key }) {
      await mkdir(join(folder, pool.address), { recursive: true, mode: 0o700 })
      const file = `${refinement}-${table.name}.parquet`
      await writeEncryptedParquet({ table, rows, key, path: join(folder, pool.address, file) })
      return { table: table.name, file, rows: rows.length }
    },
    async remove(pool, parts) {
      for (const { file } of parts) await rm(join(folder, pool.address, file), { force: true })
    },
    async *list(pool) {
      await mkdir(join(folder, pool.address), { recursive: true, mode: 0o700 })
      for await (const entry of await opendir(join(folder, pool.address))) {
        if (entry.isFile() && /^\d{1,18}-[^/]*\.parquet$/.test(entry.name)) yield entry.name
      }
    },
    paths: (pool, parts) => parts.map(({ file }) => join(folder, pool.address, file)),
  }
}
