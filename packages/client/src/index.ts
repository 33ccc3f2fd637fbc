/**
 * What an app calls: verify before sending, contribute, follow, fetch results, verify receipts.
 *
 * @module
 */
export { ClientError, type ClientErrorCode } from './errors.js'
export * from './node-api/messages.js'
export { type NodeApi, type NodeApiOptions, nodeApi } from './node-api/node-api.js'
export * from './store/index.js'
