/**
 * SHA-256 and SHA-384 (FIPS 180-4) for verification paths, in a third of the size of a general hash library: one call, no
 * streams, no key ever passes through. Constants are computed as the standard defines them, at first use.
 */

interface Constants {
  /** Round constants: the first 64 bits of the fractional parts of the cube roots of the first 80 primes. */
  readonly high: Int32Array
  readonly low: Int32Array
  /** Square roots of the first 16 primes: SHA-256 starts from the first eight, SHA-384 from the second. */
  readonly startHigh: Int32Array
  readonly startLow: Int32Array
}

let constants: Constants | undefined

/** floor(value^(1/degree)) by Newton's method. */
function root(value: bigint, degree: bigint): bigint {
  let guess = 1n << (BigInt(value.toString(2).length) / degree + 1n)
  for (;;) {
    const next = ((degree - 1n) * guess + value / guess ** (degree - 1n)) / degree
    if (next >= guess) return guess
    guess = next
  }
}

function makeConstants(): Constants {
  const primes: number[] = []
  for (let n = 2; primes.length < 80; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  const words = (list: readonly number[], degree: bigint, shift: bigint) =>
    Int32Array.from(list, (prime) =>
      Number(BigInt.asIntN(32, root(BigInt(prime) << (64n * degree), degree) >> shift)),
    )
  return {
    high: words(primes, 3n, 32n),
    low: words(primes, 3n, 0n),
    startHigh: words(primes.slice(0, 16), 2n, 32n),
    startLow: words(primes.slice(0, 16), 2n, 0n),
  }
}

/** The message with its padding: a one bit, zeros, its length in bits. */
function pad(message: Uint8Array, block: number): DataView {
  const padded = new Uint8Array(Math.ceil((message.length + 1 + block / 8) / block) * block)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(message.length / 2 ** 29))
  view.setUint32(padded.length - 4, message.length << 3)
  return view
}

const rotate = (word: number, by: number) => (word >>> by) | (word << (32 - by))

/**
 * @param message any bytes
 * @returns 32 bytes
 */
export function sha256(message: Uint8Array): Uint8Array {
  constants ??= makeConstants()
  const { high: k, startHigh } = constants
  const state = startHigh.slice(0, 8)
  const w = new Int32Array(64)
  const view = pad(message, 64)
  for (let offset = 0; offset < view.byteLength; offset += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(offset + 4 * i)
    for (let i = 16; i < 64; i += 1) {
      const a = w[i - 15] ?? 0
      const b = w[i - 2] ?? 0
      const small = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)
      const large = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10)
      w[i] = small + large + (w[i - 16] ?? 0) + (w[i - 7] ?? 0)
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
    for (let i = 0; i < 64; i += 1) {
      const choose = (e & f) ^ (~e & g)
      const majority = (a & b) ^ (a & c) ^ (b & c)
      const one =
        (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choose + (k[i] ?? 0) + (w[i] ?? 0)) | 0
      const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0
      h = g
      g = f
      f = e
      e = (d + one) | 0
      d = c
      c = b
      b = a
      a = (one + two) | 0
    }
    const after = [a, b, c, d, e, f, g, h]
    for (let i = 0; i < 8; i += 1) state[i] = (state[i] ?? 0) + (after[i] ?? 0)
  }
  return output(state, undefined, 8)
}

function output(high: Int32Array, low: Int32Array | undefined, words: number): Uint8Array {
  const size = low === undefined ? 4 : 8
  const view = new DataView(new ArrayBuffer(words * size))
  for (let i = 0; i < words; i += 1) {
    view.setInt32(i * size, high[i] ?? 0)
    if (low !== undefined) view.setInt32(i * size + 4, low[i] ?? 0)
  }
  return new Uint8Array(view.buffer)
}

/** High or low half of a 64-bit word rotated right; the low half is the high half of the word with its halves swapped. */
const rotateHalf = (high: number, low: number, by: number) =>
  by < 32 ? (high >>> by) | (low << (32 - by)) : (low >>> (by - 32)) | (high << (64 - by))

/** What 32-bit halves carry into the next: they are summed as unsigned numbers. */
const carry = (sum: number) => Math.floor(sum / 2 ** 32)

/**
 * @param message any bytes
 * @returns 48 bytes
 */
export function sha384(message: Uint8Array): Uint8Array {
  constants ??= makeConstants()
  const { high: kh, low: kl, startHigh, startLow } = constants
  const [sh, sl] = [startHigh.slice(8), startLow.slice(8)]
  const [wh, wl] = [new Int32Array(80), new Int32Array(80)]
  const view = pad(message, 128)
  for (let offset = 0; offset < view.byteLength; offset += 128) {
    for (let i = 0; i < 16; i += 1) {
      wh[i] = view.getInt32(offset + 8 * i)
      wl[i] = view.getInt32(offset + 8 * i + 4)
    }
    for (let i = 16; i < 80; i += 1) {
      const ah = wh[i - 15] ?? 0
      const al = wl[i - 15] ?? 0
      const bh = wh[i - 2] ?? 0
      const bl = wl[i - 2] ?? 0
      const smallHigh = rotateHalf(ah, al, 1) ^ rotateHalf(ah, al, 8) ^ (ah >>> 7)
      const smallLow = rotateHalf(al, ah, 1) ^ rotateHalf(al, ah, 8) ^ ((al >>> 7) | (ah << 25))
      const largeHigh = rotateHalf(bh, bl, 19) ^ rotateHalf(bh, bl, 61) ^ (bh >>> 6)
      const largeLow = rotateHalf(bl, bh, 19) ^ rotateHalf(bl, bh, 61) ^ ((bl >>> 6) | (bh << 26))
      const low = (smallLow >>> 0) + (largeLow >>> 0) + ((wl[i - 16] ?? 0) >>> 0) + ((wl[i - 7] ?? 0) >>> 0)
      wl[i] = low
      wh[i] = smallHigh + largeHigh + (wh[i - 16] ?? 0) + (wh[i - 7] ?? 0) + carry(low)
    }
    let [ah = 0, bh = 0, ch = 0, dh = 0, eh = 0, fh = 0, gh = 0, hh = 0] = sh
    let [al = 0, bl = 0, cl = 0, dl = 0, el = 0, fl = 0, gl = 0, hl = 0] = sl
    for (let i = 0; i < 80; i += 1) {
      const eHigh = rotateHalf(eh, el, 14) ^ rotateHalf(eh, el, 18) ^ rotateHalf(eh, el, 41)
      const eLow = rotateHalf(el, eh, 14) ^ rotateHalf(el, eh, 18) ^ rotateHalf(el, eh, 41)
      const chooseLow = (el & fl) ^ (~el & gl)
      const oneLow =
        (hl >>> 0) + (eLow >>> 0) + (chooseLow >>> 0) + ((kl[i] ?? 0) >>> 0) + ((wl[i] ?? 0) >>> 0)
      const oneHigh =
        (hh + eHigh + ((eh & fh) ^ (~eh & gh)) + (kh[i] ?? 0) + (wh[i] ?? 0) + carry(oneLow)) | 0
      const aHigh = rotateHalf(ah, al, 28) ^ rotateHalf(ah, al, 34) ^ rotateHalf(ah, al, 39)
      const aLow = rotateHalf(al, ah, 28) ^ rotateHalf(al, ah, 34) ^ rotateHalf(al, ah, 39)
      const majorityLow = (al & bl) ^ (al & cl) ^ (bl & cl)
      const sumLow = (oneLow >>> 0) + (aLow >>> 0) + (majorityLow >>> 0)
      const sumHigh = (oneHigh + aHigh + ((ah & bh) ^ (ah & ch) ^ (bh & ch)) + carry(sumLow)) | 0
      hh = gh
      hl = gl
      gh = fh
      gl = fl
      fh = eh
      fl = el
      const nextLow = (dl >>> 0) + (oneLow >>> 0)
      eh = (dh + oneHigh + carry(nextLow)) | 0
      el = nextLow | 0
      dh = ch
      dl = cl
      ch = bh
      cl = bl
      bh = ah
      bl = al
      ah = sumHigh
      al = sumLow | 0
    }
    const [high, low] = [
      [ah, bh, ch, dh, eh, fh, gh, hh],
      [al, bl, cl, dl, el, fl, gl, hl],
    ]
    for (let i = 0; i < 8; i += 1) {
      const sum = ((sl[i] ?? 0) >>> 0) + ((low[i] ?? 0) >>> 0)
      sl[i] = sum
      sh[i] = (sh[i] ?? 0) + (high[i] ?? 0) + carry(sum)
    }
  }
  return output(sh, sl, 6)
}
