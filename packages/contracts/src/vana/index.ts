/**
 * Reads and contributes to pools of Vana, the existing data pool network, through its own contracts. No address is in here:
 * an app names the contracts it means. What those contracts do not check stands beside each function.
 *
 * @module
 */

export * from './abi.js'
export * from './compute.js'
export * from './file.js'
export * from './pool.js'
export * from './portability.js'
export * from './query-permission.js'
export * from './refiner.js'
export * from './server.js'
