/**
 * PostgreSQL as an `SqlEngine`, on one server or sharded by contributor.
 *
 * @module
 */
export {
  createPostgreSqlEngine,
  type PostgreSqlClient,
  type PostgreSqlEngineOptions,
} from './postgresql-engine.js'
