import { type BlobStore, BlobStoreError, memoryBlobStore } from '@sealpool/client'
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { expect, it } from 'vitest'
import { maximumProgramBytes, programCodes } from './program-code.js'

const bytes = new TextEncoder().encode('globalThis.sealpool = { main: () => ({}) }')
const digest = sha256Digest(bytes)

/** A store that gives the same to whoever asks, and counts. */
function giving(answer: () => Promise<Uint8Array>) {
  const asked: [string, unknown][] = []
  const get: BlobStore['get'] = (...all) => {
    const [locator, options] = all
    asked.push([locator, options])
    return answer()
  }
  return { get, asked }
}

it('gives what the digest names', async () => {
  const store = memoryBlobStore()
  await store.put(bytes)
  expect(await programCodes(store)(digest)).toEqual(bytes)
})

it('refuses a program that is not there', async () => {
  await expect(programCodes(memoryBlobStore())(digest)).rejects.toMatchObject({
    code: 'PROGRAM_MISSING',
    charged: false,
  })
})

it('refuses what a store gives instead, even one that says nothing of it', async () => {
  const store = giving(async () => new TextEncoder().encode('other code'))
  await expect(programCodes(store)(digest)).rejects.toMatchObject({
    code: 'PROGRAM_DIGEST_MISMATCH',
    charged: false,
  })
  const honest = giving(async () => {
    throw new BlobStoreError('BLOB_DIGEST_MISMATCH', digest, 'x')
  })
  await expect(programCodes(honest)(digest)).rejects.toMatchObject({ code: 'PROGRAM_DIGEST_MISMATCH' })
})

it('refuses a program that is too large, whether the store minds or not', async () => {
  const large = new Uint8Array(maximumProgramBytes + 1)
  const store = memoryBlobStore()
  await store.put(large)
  for (const one of [store, giving(async () => large)])
    await expect(programCodes(one)(sha256Digest(large))).rejects.toMatchObject({
      code: 'PROGRAM_TOO_LARGE',
      charged: false,
    })
  const most = new Uint8Array(maximumProgramBytes)
  const allowed = giving(async () => most)
  expect(await programCodes(allowed)(sha256Digest(most))).toHaveLength(maximumProgramBytes)
  // Nobody has the node fetch more than it would take.
  expect(allowed.asked).toEqual([[sha256Digest(most), { maximumBytes: maximumProgramBytes }]])
})

it('puts off what a store that is away cannot tell, and passes on what is nobody’s fault', async () => {
  const away = giving(async () => {
    throw new BlobStoreError('BLOB_STORE_FAILED', 'get', 'x')
  })
  await expect(programCodes(away)(digest)).rejects.toMatchObject({
    name: 'JobPutOff',
    code: 'BLOB_STORE_FAILED',
  })
  const broken = giving(async () => {
    throw new RangeError('x')
  })
  await expect(programCodes(broken)(digest)).rejects.toBeInstanceOf(RangeError)
})

it('keeps the four that were asked for last', async () => {
  const all = new Map<string, Uint8Array>()
  for (let one = 0; one < 5; one++) {
    const code = Uint8Array.of(one)
    all.set(sha256Digest(code), code)
  }
  const asked: string[] = []
  const codes = programCodes({
    async get(locator) {
      asked.push(locator)
      return all.get(locator) ?? new Uint8Array()
    },
  })
  const digests = [...all.keys()] as Digest[]
  const [first, second] = digests
  if (first === undefined || second === undefined) throw new Error('there are five')
  for (const one of digests.slice(0, 4)) await codes(one)
  await codes(first)
  expect(asked).toHaveLength(4)
  for (const one of digests.slice(4)) await codes(one)
  await codes(first)
  expect(asked).toHaveLength(5)
  await codes(second)
  expect(asked).toHaveLength(6)
})
