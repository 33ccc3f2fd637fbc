import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { AttestError } from '../errors.js'

/** What a guest boots. */
export interface SnpKernel {
  readonly image: Uint8Array
  readonly initrd?: Uint8Array
  readonly commandLine?: string
}

/** SHA-256 (32 bytes) of what a guest boots; the command line's covers its closing zero byte. */
export interface SnpKernelHashes {
  readonly hashes: {
    readonly image: Uint8Array
    readonly initrd: Uint8Array
    readonly commandLine: Uint8Array
  }
}

/** GUIDs as they stand in memory, hex. */
const tableGuid = '06d63894224fc94cb479a793d411fd21'
const entryGuids = {
  kernel: '3794e74dd2ab7f42b835d5b172d2045b',
  initrd: '31f7ba442f3ad74b9af141e29169781d',
  commandLine: 'd82dd09720bd944caa78e7714d36ab2a',
} as const

function kernelHashes(kernel: SnpKernel | SnpKernelHashes): SnpKernelHashes['hashes'] {
  if ('hashes' in kernel) {
    if (Object.values(kernel.hashes).some(({ length }) => length !== 32)) {
      throw new AttestError('BAD_ARGUMENT', 'launch.kernel.hashes', 'Digests of 32 bytes are expected')
    }
    return kernel.hashes
  }
  return {
    image: sha256(kernel.image),
    initrd: sha256(kernel.initrd ?? new Uint8Array()),
    commandLine: sha256(new TextEncoder().encode(`${kernel.commandLine ?? ''}\0`)),
  }
}

/** QEMU's table of hashes (SevHashTable), 168 bytes. */
export function hashTable(kernel: SnpKernel | SnpKernelHashes): Uint8Array {
  const { image, initrd, commandLine } = kernelHashes(kernel)
  const entry = (guid: string, hash: Uint8Array) => concatBytes(hexToBytes(guid), Uint8Array.of(50, 0), hash)
  return concatBytes(
    hexToBytes(tableGuid),
    Uint8Array.of(168, 0),
    entry(entryGuids.commandLine, commandLine),
    entry(entryGuids.initrd, initrd),
    entry(entryGuids.kernel, image),
  )
}

/** The page with the table at its place. */
export function hashesPage(kernel: SnpKernel | SnpKernelHashes, offset: number): Uint8Array {
  const page = new Uint8Array(4096)
  const table = hashTable(kernel)
  if (offset + table.length > page.length) {
    throw new AttestError('BAD_IMAGE', 'ovmf.hashTable', 'The table of hashes does not fit on its page')
  }
  page.set(table, offset)
  return page
}
