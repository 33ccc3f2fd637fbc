/**
 * ClickHouse as an `SqlEngine`, on one server or sharded by contributor.
 *
 * @module
 */
export {
  type ClickHouseClient,
  type ClickHouseEngineOptions,
  createClickHouseEngine,
} from './clickhouse-engine.js'
