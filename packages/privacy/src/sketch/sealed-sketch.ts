import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { PrivacyError } from '../errors.js'
import type { RandomBytes } from '../mechanism/random.js'
import { type BloomFilter, bloomBytes, bloomFromBytes } from './bloom.js'
import { type HyperLogLog, hyperLogLogBytes, hyperLogLogFromBytes } from './hyper-log-log.js'
import { type MinHash, minHashBytes, minHashFromBytes } from './min-hash.js'

/** A sketch of a set under a pool's key. */
export type KeyedSketch = MinHash | HyperLogLog | BloomFilter

const NONCE = 16
const TAG = 32

/**
 * A sketch as bytes that tell nothing without the pool's key: neither members, nor how many there are, nor whether two sketches
 * are of like sets. The length depends on the sketch's public shape only.
 *
 * Encrypt-then-MAC with HMAC-SHA256: a keystream of HMAC(key, nonce, counter), then a tag over nonce and ciphertext, both under
 * keys of their own derived from the pool's.
 *
 * @param options - `sketch`; `key`: the pool's, at least 32 secret bytes; `random`: for the nonce.
 * @returns Nonce (16 bytes), ciphertext, tag (32 bytes).
 * @throws PrivacyError `PARAMETER_INVALID` for a short key.
 */
export function sealSketch(options: {
  readonly sketch: KeyedSketch
  readonly key: Uint8Array
  readonly random: RandomBytes
}): Uint8Array {
  const keys = keysOf(options.key)
  const nonce = options.random(NONCE)
  const plain = encode(options.sketch)
  const sealed = new Uint8Array(NONCE + plain.length + TAG)
  sealed.set(nonce)
  sealed.set(masked(plain, keys.stream, nonce), NONCE)
  sealed.set(hmac(sha256, keys.tag, sealed.subarray(0, NONCE + plain.length)), NONCE + plain.length)
  return sealed
}

/**
 * Opens a sealed sketch.
 *
 * @param options - `sealed` bytes and the pool's `key`.
 * @returns The sketch.
 * @throws PrivacyError `PARAMETER_INVALID` under another key, or when a byte was changed.
 */
export function openSketch(options: { readonly sealed: Uint8Array; readonly key: Uint8Array }): KeyedSketch {
  const { sealed } = options
  const keys = keysOf(options.key)
  const end = sealed.length - TAG
  if (end < NONCE + 4) throw unreadable()
  const tag = hmac(sha256, keys.tag, sealed.subarray(0, end))
  let difference = 0
  for (let index = 0; index < TAG; index++) difference |= (tag[index] ?? 0) ^ (sealed[end + index] ?? 0)
  if (difference !== 0) throw unreadable()
  return decode(masked(sealed.subarray(NONCE, end), keys.stream, sealed.subarray(0, NONCE)))
}

/** One byte says which sketch it is. */
function encode(sketch: KeyedSketch): Uint8Array {
  const body =
    sketch.kind === 'min-hash'
      ? minHashBytes(sketch)
      : sketch.kind === 'bloom'
        ? bloomBytes(sketch)
        : hyperLogLogBytes(sketch)
  return Uint8Array.from([KINDS.indexOf(sketch.kind), ...body])
}

const KINDS: readonly KeyedSketch['kind'][] = ['min-hash', 'hyper-log-log', 'bloom']

function decode(bytes: Uint8Array): KeyedSketch {
  const body = bytes.subarray(1)
  const kind = KINDS[bytes[0] ?? KINDS.length]
  const sketch =
    kind === 'min-hash'
      ? minHashFromBytes(body)
      : kind === 'hyper-log-log'
        ? hyperLogLogFromBytes(body)
        : kind === 'bloom'
          ? bloomFromBytes(body)
          : undefined
  if (sketch === undefined) throw unreadable()
  return sketch
}

function keysOf(key: Uint8Array): { readonly stream: Uint8Array; readonly tag: Uint8Array } {
  if (key.length < 32) {
    throw new PrivacyError('PARAMETER_INVALID', 'key', 'A sketch key needs at least 32 bytes.')
  }
  return {
    stream: hmac(sha256, key, utf8ToBytes('sealpool/sealed-sketch/1/stream')),
    tag: hmac(sha256, key, utf8ToBytes('sealpool/sealed-sketch/1/tag')),
  }
}

function masked(bytes: Uint8Array, key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length)
  const block = new Uint8Array(NONCE + 4)
  block.set(nonce)
  const counter = new DataView(block.buffer)
  for (let offset = 0; offset < bytes.length; offset += 32) {
    counter.setUint32(NONCE, offset / 32)
    const stream = hmac(sha256, key, block)
    for (let index = 0; index < 32 && offset + index < bytes.length; index++) {
      result[offset + index] = (bytes[offset + index] ?? 0) ^ (stream[index] ?? 0)
    }
  }
  return result
}

function unreadable(): PrivacyError {
  return new PrivacyError(
    'PARAMETER_INVALID',
    'sealed',
    "These are not the bytes of a sketch under this pool's key, or they were changed.",
  )
}
