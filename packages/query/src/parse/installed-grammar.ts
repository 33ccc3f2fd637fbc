import { hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query'
import { QueryError } from '../errors.js'
import { type SqlGrammar, SqlSyntaxError } from './sql-grammar.js'

const read = async <T>(work: () => T): Promise<T> => {
  await loadModule().catch((cause: unknown) => {
    throw new QueryError('GRAMMAR_UNAVAILABLE', 'grammar', { cause })
  })
  try {
    return work()
  } catch (error) {
    throw new SqlSyntaxError(hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) : 0)
  }
}

/** The grammar that is installed beside this package, read from the disk by libpg-query's own JavaScript: for Node. */
export const installedGrammar: SqlGrammar = {
  scan: (sql) => read(() => scanSync(sql).tokens),
  parse: (sql) => read(() => parseSync(sql)),
}
