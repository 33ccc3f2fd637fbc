/**
 * The platform's clock and randomness, where the node's entry fills them in.
 * @module
 */
export { platformRandom } from '@sealpool/crypto'

/** @returns unix time in whole seconds */
export function platformNow(): number {
  return Math.floor(Date.now() / 1000)
}
