/**
 * A local chain for tests, demos and development: anvil as a child process.
 *
 * @module
 */
export { type Devnet, type DevnetAccount, type DevnetOptions, startDevnet } from './start.js'
