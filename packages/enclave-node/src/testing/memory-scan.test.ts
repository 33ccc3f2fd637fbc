import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { scanMemory } from './memory-scan.js'

it.skipIf(process.platform !== 'linux')(
  'finds what a process has in a buffer and in a text, and not what it has overwritten',
  async () => {
    const [kept, gone] = [randomBytes(32), randomBytes(32)]
    const text = `a text that it was told ${randomBytes(16).toString('hex')}`
    // It reads them from its input, so that they are neither in its arguments nor in its program.
    const program = `
      const { readSync } = require('node:fs')
      const given = Buffer.alloc(4096)
      let length = 0
      while (length === 0) {
        try {
          length = readSync(0, given)
        } catch (error) {
          if (error.code !== 'EAGAIN') throw error
        }
      }
      const held = new Uint8Array(given.subarray(0, 32))
      const over = new Uint8Array(given.subarray(32, 64))
      const text = given.toString('latin1', 64, length)
      given.fill(0)
      over.fill(0)
      setInterval(() => [held, over, text], 1e6)
      console.log('ready')`
    const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      child.stdin.write(Buffer.concat([kept, gone, Buffer.from(text)]))
      await once(child.stdout, 'data')
      const { found, scannedBytes } = await scanMemory(child.pid ?? 0, [
        { what: 'kept', bytes: kept },
        { what: 'gone', bytes: gone },
        { what: 'text', bytes: Buffer.from(text) },
      ])
      const times = (what: string) => Object.values(found.get(what) ?? {}).reduce((sum, one) => sum + one, 0)
      expect(times('kept')).toBeGreaterThan(0)
      expect(times('text')).toBeGreaterThan(0)
      expect(times('gone')).toBe(0)
      expect(scannedBytes).toBeGreaterThan(1_000_000)
    } finally {
      child.kill('SIGKILL')
    }
  },
)
