import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { closedMemory, memoryScan } from './memory-scan.js'
import { byteSearch } from './search-bytes.js'
import { type Sought, soughtKey, soughtScalar, soughtText } from './secret-forms.js'

/* The scanner finds what is there: each form is planted in a process of its own, which is handed it under a mask. */

const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

/** Starts a process that takes lines of hexadecimal bytes, each byte xor 0x5a, and holds them as bytes outside of its heap. */
async function holder(plant: string): Promise<number> {
  const program = `
    const held = globalThis.held = []
    let rest = ''
    process.stdin.on('data', (bytes) => {
      rest += bytes.toString('latin1')
      for (let end = rest.indexOf('\\n'); end >= 0; end = rest.indexOf('\\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 1)
        if (line === 'end') { process.stdout.write('held\\n'); continue }
        const bytes = new Uint8Array(new ArrayBuffer(line.length / 2))
        for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(line.slice(2 * at, 2 * at + 2), 16) ^ 0x5a
        ;(${plant})(bytes, held)
      }
    })`
  const child = spawn(process.execPath, ['--expose-gc', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  running.push(child)
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(child.pid ?? 0))
  })
}
async function give(lines: readonly Uint8Array[]): Promise<void> {
  const child = running.at(-1)
  if (!child?.stdin || !child.stdout) throw new Error('nobody is there')
  const told = once(child.stdout, 'data')
  for (const bytes of lines)
    child.stdin.write(`${Buffer.from(bytes.map((byte) => byte ^ 0x5a)).toString('hex')}\n`)
  child.stdin.write('end\n')
  await told
}
const readable = (): boolean => {
  const why = closedMemory(process.pid)
  if (why === undefined) return true
  // Elsewhere the reason is printed; where everything is checked it must not go unnoticed.
  if (process.env['CI'] !== undefined) throw new Error(why)
  console.warn(why)
  return false
}

describe.runIf(readable())('a scan of memory', { timeout: 60_000 }, () => {
  const key = randomBytes(32)
  const word = `orchid-${randomBytes(12).toString('hex')}`
  const scalar = randomBytes(32)
  const sought: Sought[] = [soughtKey('key', key), soughtText('word', word), soughtScalar('scalar', scalar)]

  it('finds every form of a secret, and nothing where none is', async () => {
    const pid = await holder('(bytes, held) => held.push(bytes)')
    await give([])
    const scan = memoryScan(sought)
    expect((await scan(pid)).finds).toEqual([])
    await give(sought.flatMap(({ forms }) => forms.map(({ bytes }) => bytes)))
    const { finds, bytes } = await scan(pid)
    for (const { what, forms } of sought)
      for (const { encoding } of forms)
        expect(finds, `${what} as ${encoding}`).toContainEqual(
          expect.objectContaining({ what, encoding, place: 'memory' }),
        )
    expect(bytes).toBeGreaterThan(1 << 20)
  })

  it('finds what JavaScript makes of bytes: a text, a number, one in UTF-16', async () => {
    const pid = await holder(`(bytes, held) => {
      const text = Buffer.from(bytes).toString('hex')
      held.push(BigInt('0x' + text), text, JSON.parse(JSON.stringify('\\u2603' + text)))
    }`)
    await give([key])
    const encodings = (await memoryScan(sought)(pid)).finds.map(({ encoding }) => encoding)
    expect(encodings).toContain('bytes backwards')
    expect(encodings).toContain('hexadecimal')
    expect(encodings).toContain('hexadecimal in UTF-16')
  })

  it('finds nothing any more of what was overwritten', async () => {
    const pid = await holder(`(bytes, held) => {
      if (held.length === 1) held[0].fill(0)
      else held.push(bytes)
    }`)
    const scan = memoryScan([soughtKey('key', key)])
    await give([key])
    expect((await scan(pid)).finds).toMatchObject([{ what: 'key', encoding: 'bytes', count: 1 }])
    await give([new Uint8Array(32)])
    expect((await scan(pid)).finds).toEqual([])
  })

  it('finds a secret in environment, words, and a file without a name', async () => {
    const program = `
      const { openSync, writeSync, rmSync } = require('node:fs')
      const path = process.env.HOLDER_FILE
      const file = openSync(path, 'w+')
      rmSync(path)
      writeSync(file, process.argv[1])
      process.stdout.write('there')`
    const child = spawn(process.execPath, ['-e', `${program}; setInterval(() => {}, 1000)`, word], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { HOLDER_FILE: `/tmp/sealpool-memory-scan-${process.pid}`, HELD: word },
    })
    running.push(child)
    if (child.stdout === null) throw new Error('it has an output')
    await once(child.stdout, 'data')
    const { finds } = await memoryScan(sought)(child.pid ?? 0)
    const places = new Set(finds.map(({ place }) => place.replace(/^file .*/, 'file')))
    expect([...places].toSorted()).toEqual(['cmdline', 'environ', 'file', 'memory'])
  })

  it('looks through children as well', async () => {
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        `${process.execPath} -e 'process.stdout.write("there"); setInterval(() => {}, 1000)' ${word} & wait`,
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    running.push(child)
    if (child.stdout === null) throw new Error('it has an output')
    await once(child.stdout, 'data')
    const { finds, processes } = await memoryScan(sought)(child.pid ?? 0)
    expect(processes).toHaveLength(2)
    const inner = finds.find(({ pid, place }) => pid !== child.pid && place === 'cmdline')
    expect(inner).toBeDefined()
    process.kill(inner?.pid ?? 0, 'SIGKILL')
  })
})

describe('a search of bytes', () => {
  it('finds what lies across pieces once, wherever they are cut', () => {
    const sought = soughtText('word', 'correct horse battery')
    const whole = Buffer.from('--correct horse battery--correct horse battery')
    for (let size = 1; size <= whole.length; size++) {
      const search = byteSearch([sought])()
      for (let at = 0; at < whole.length; at += size) search.push(whole.subarray(at, at + size))
      expect(search.found(), `in pieces of ${size}`).toEqual([{ what: 'word', encoding: 'UTF-8', count: 2 }])
    }
  })

  it('finds nothing across a gap', () => {
    const search = byteSearch([soughtText('word', 'correct horse battery')])()
    search.push(Buffer.from('correct horse'))
    search.gap()
    search.push(Buffer.from(' battery'))
    expect(search.found()).toEqual([])
  })

  it('refuses what is too short to mean anything', () => {
    expect(() => soughtText('word', 'short')).toThrow('too short')
    expect(() => soughtKey('key', new Uint8Array(8))).toThrow('no key')
  })
})
