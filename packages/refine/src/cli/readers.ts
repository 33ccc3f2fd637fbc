import type { SourceReaders } from '../source/open-export.js'

async function optional<Reader>(load: () => Promise<Reader>): Promise<Reader | undefined> {
  try {
    return await load()
  } catch (error) {
    // Only a package that is not installed may be missing; anything else is a fault.
    if ((error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/**
 * The readers whose packages are installed.
 *
 * @returns readers of XML, MIME, Parquet and SQLite
 */
export async function installedReaders(): Promise<SourceReaders> {
  const xml = await optional(async () => (await import('../xml/index.js')).saxesReader)
  const mime = await optional(async () => (await import('../mail/index.js')).postalReader)
  const parquet = await optional(async () => (await import('../parquet/index.js')).hyparquetReader)
  const sqlite = await optional(async () => {
    const { default: initSqlJs } = await import('sql.js')
    const { createSqliteReader } = await import('../sqlite/index.js')
    return createSqliteReader(await initSqlJs())
  })
  return {
    ...(xml === undefined ? {} : { xml }),
    ...(mime === undefined ? {} : { mime }),
    ...(parquet === undefined ? {} : { parquet }),
    ...(sqlite === undefined ? {} : { sqlite }),
  }
}
