import { createCipheriv, type KeyObject } from 'node:crypto'
import type { Seal } from '../output/parquet/encrypted-module.js'

/**
 * The cipher of a file's modules, computed by Node on the calling thread. It has no copy of the key: of bytes the caller's are read at each
 * module, and must stay until the file is finished.
 *
 * @param key - AES key, 32 bytes
 * @returns what `createEncryptedParquet` takes
 */
export function nodeSeal(key: Uint8Array | KeyObject): Seal {
  return (iv, aad, plaintext) => {
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad)
    const sealed = [cipher.update(plaintext), cipher.final()]
    return [...sealed, cipher.getAuthTag()]
  }
}
