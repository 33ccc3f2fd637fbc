/**
 * Make of a builder's module what a pool approves.
 *
 * @module
 */
export { bundleRefiner } from './bundle-refiner.js'
