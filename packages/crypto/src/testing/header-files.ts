import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes } from '../encoding/bytes.js'
import type { HeaderStore } from '../epoch/rewrap-headers.js'

/** Headers as files of a folder, each replaced by a rename, so that a reader sees the old one or the new one. */
export function headerFiles(folder: string): HeaderStore & { write(name: string, header: Uint8Array): void } {
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary, { recursive: true })
  const write = (name: string, header: Uint8Array) => {
    writeFileSync(join(temporary, name), header)
    renameSync(join(temporary, name), join(folder, name))
  }
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)))
  return {
    list: () => readdirSync(folder).filter((name) => name !== 'temporary'),
    read: async (name) => read(name),
    async replace(name, header, previous) {
      if (!equalBytes(read(name), previous)) throw new Error('another header stands there')
      write(name, header)
    },
    write,
  }
}
