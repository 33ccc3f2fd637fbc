/**
 * SIMULATED sealing to a measurement: what a TPM or a derived key of the processor does, with a "fuse" that lies in a file whose
 * name says so. Whoever reads the file opens everything.
 * @module
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeHex, encodeHex, type Hex } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { MeasurementSealer } from './sealed-key-release.js'
import { writeOnce } from './write-once.js'

/** Name of the file; loud on purpose. */
export const simulatedSealerFile = 'SIMULATED-SEALING-NOT-HARDWARE.json'

const fileSchema = z.strictObject({
  format: z.literal('sealpool/simulated-sealer'),
  warning: z.string(),
  fuse: z.string().regex(/^0x[0-9a-f]{64}$/),
})
const [nonceBytes, tagBytes] = [12, 16]

/** @param options `directory`: where the fuse lies; `measurement`: of the code that runs; `random`: a CSPRNG */
export function simulatedSealer(options: {
  readonly directory: string
  readonly measurement: Hex
  readonly random: (length: number) => Uint8Array
}): MeasurementSealer {
  const { directory, measurement, random } = options
  const path = join(directory, simulatedSealerFile)
  const key = (): Buffer => {
    writeOnceOrKeep(path, random)
    let fuse: Uint8Array
    try {
      fuse = decodeHex(fileSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).fuse as Hex)
    } catch (cause) {
      throw new NodeError(
        'KEY_UNREADABLE',
        simulatedSealerFile,
        'the fuse cannot be read; restore the file',
        { cause },
      )
    }
    return createHmac('sha256', fuse).update(`sealpool/simulated-sealer/1\n${measurement}`).digest()
  }
  return {
    name: 'simulated',
    simulated: true,
    async seal(secret) {
      const nonce = random(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key(), nonce)
      return Uint8Array.from(
        Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]),
      )
    },
    async open(sealed) {
      if (sealed.length < nonceBytes + tagBytes) return undefined
      const cipher = createDecipheriv('aes-256-gcm', key(), sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      cipher.setAuthTag(sealed.subarray(-tagBytes))
      const body = cipher.update(sealed.subarray(nonceBytes, -tagBytes))
      try {
        cipher.final()
      } catch {
        return undefined
      }
      return Uint8Array.from(body)
    },
  }
}

function writeOnceOrKeep(path: string, random: (length: number) => Uint8Array): void {
  try {
    readFileSync(path)
  } catch {
    const warning =
      'SIMULATION: whoever reads this file can open what this machine has sealed. Not for data of real people.'
    const file = { format: 'sealpool/simulated-sealer', warning, fuse: encodeHex(random(32)) }
    writeOnce(path, `${JSON.stringify(file, null, 2)}\n`)
  }
}
