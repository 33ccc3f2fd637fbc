/**
 * SQLite with the `sql.js` package (an optional peer, WebAssembly): reading exports, writing tables.
 *
 * @module
 */
export { createSqliteReader } from './read-sqlite.js'
export { toSqliteFile } from './sqlite-file.js'
