/**
 * DuckDB as an `SqlEngine`, in a child process with locked settings.
 *
 * @module
 */
export { createDuckDbEngine, type DuckDbEngineOptions } from './duckdb-engine.js'
