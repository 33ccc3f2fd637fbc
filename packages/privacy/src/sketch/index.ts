/**
 * Keyed fingerprints and sketches: similar sets, distinct counts and membership under a pool's key; nothing without it.
 *
 * @module
 */
export { type BloomFilter, bloomFilter, mayContain } from './bloom.js'
export {
  type Containing,
  type ContainmentIndex,
  containmentIndex,
  type SizedSketch,
} from './containment-index.js'
export { contributorPseudonym } from './contributor-pseudonym.js'
export { distinctCount, type HyperLogLog, hyperLogLog, mergeHyperLogLogs } from './hyper-log-log.js'
export { createKeyedFingerprint, type FingerprintDomain, keyedFingerprint } from './keyed-fingerprint.js'
export { containment, jaccardSimilarity, type MinHash, minHash } from './min-hash.js'
export { type KeyedSketch, openSketch, sealSketch } from './sealed-sketch.js'
export type { SimilarPair } from './similar-pairs.js'
