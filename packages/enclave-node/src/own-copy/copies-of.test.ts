import { BlobStoreError, formatOwnLocation, memoryBlobStore, type OwnLocation } from '@sealpool/client'
import { sha256Digest } from '@sealpool/crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { copiesOf } from './copies-of.js'

const file = new TextEncoder().encode('a sealed file')
const digest = sha256Digest(file)
const locator = formatOwnLocation('https://owner.example', digest)

let blobStore = memoryBlobStore()
let online = true
let asked = 0
const ownCopies = {
  get: async ({ digest: wanted }: OwnLocation, limit: { readonly maximumBytes: number }) => {
    asked += 1
    expect(limit).toEqual({ maximumBytes: 100 })
    if (online) return file
    throw new BlobStoreError('BLOB_MISSING', wanted, 'away')
  },
}
const read = (keep: 'escrow' | 'live', from = locator, keeping = false) =>
  copiesOf({ blobStore, ownCopies }, { keep }, { keeping }).get(from, { maximumBytes: 100 })
beforeEach(() => {
  blobStore = memoryBlobStore()
  online = true
  asked = 0
})

describe('where a pool’s sealed files are read', () => {
  it('a live pool reads nothing but owners’ stores, though a copy lies in the node’s', async () => {
    await blobStore.put(file)
    expect(await read('live')).toEqual(file)
    online = false
    await expect(read('live')).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    await expect(read('live', digest)).rejects.toMatchObject({ code: 'BLOB_LOCATOR_INVALID' })
  })

  it('a live pool keeps nothing, also when it is told to', async () => {
    await read('live', locator, true)
    await expect(blobStore.get(digest)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
  })

  it('a pool that keeps copies reads its own first, and asks the owner’s store for what it has not', async () => {
    expect(await read('escrow')).toEqual(file)
    await expect(blobStore.get(digest)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    expect(await read('escrow', locator, true)).toEqual(file)
    expect(asked).toBe(2)
    online = false
    expect(await read('escrow')).toEqual(file)
    expect(await read('escrow', digest)).toEqual(file)
    expect(asked).toBe(2)
  })

  it('says so when neither has it, and what else is wrong with the node’s store', async () => {
    online = false
    await expect(read('escrow')).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    blobStore = {
      ...blobStore,
      get: async () => {
        throw new BlobStoreError('BLOB_STORE_FAILED', digest, 'away')
      },
    }
    online = true
    await expect(read('escrow')).rejects.toMatchObject({ code: 'BLOB_STORE_FAILED' })
  })
})
