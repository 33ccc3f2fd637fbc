// Loaded into a node before its program (`node --import`), for tests that look through its memory: tells the test on descriptor 3 which
// secrets the node makes, each byte under a mask, so that telling plants none of them; and has the node stand still at what the test asks
// for, until a byte comes on descriptor 4. The program itself is not changed: it draws and computes what it always does.
import { ChildProcess } from 'node:child_process'
import { readFileSync, readSync, writeSync } from 'node:fs'

const crypto = process.getBuiltinModule('node:crypto')
const toTest = 3
const fromTest = 4

// As `unmasked` of watched-node.ts has it.
const masked = (bytes) => {
  let text = ''
  for (let at = 0; at < bytes.length; at++)
    text += ((bytes[at] ^ (at * 89 + 171)) & 255).toString(16).padStart(2, '0')
  return text
}
const tell = (line) => writeSync(toTest, `${JSON.stringify(line)}\n`)
const hold = (line) => {
  tell({ ...line, held: true })
  readSync(fromTest, new Uint8Array(new ArrayBuffer(1)), 0, 1, null)
}
/** What to stand still at: masked keys, and words in the command of a child that is to be killed. */
const asked = () => {
  try {
    return JSON.parse(readFileSync(process.env.SEALPOOL_TAP_HOLDS, 'utf8'))
  } catch {
    return []
  }
}

const { getRandomValues } = Crypto.prototype
Crypto.prototype.getRandomValues = function drawn(array) {
  getRandomValues.call(this, array)
  if (array.byteLength === 32) tell({ drawn: masked(array) })
  return array
}

// A key pair that the platform makes is made here of bytes that are told: to export it would leave copies in the platform's memory.
const { generateKey } = SubtleCrypto.prototype
const pkcs8Prefix = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
]
SubtleCrypto.prototype.generateKey = async function generated(algorithm, extractable, uses) {
  if (algorithm !== 'X25519') return generateKey.call(this, algorithm, extractable, uses)
  const pkcs8 = new Uint8Array(new ArrayBuffer(48))
  getRandomValues.call(globalThis.crypto, pkcs8)
  pkcs8.set(pkcs8Prefix)
  tell({ generated: masked(pkcs8.subarray(16)) })
  const privateKey = await this.importKey('pkcs8', pkcs8, 'X25519', extractable, uses)
  pkcs8.fill(0)
  const basePoint = await this.importKey('raw', Uint8Array.of(9, ...new Uint8Array(31)), 'X25519', false, [])
  const point = await this.deriveBits({ name: 'X25519', public: basePoint }, privateKey, 256)
  return { privateKey, publicKey: await this.importKey('raw', point, 'X25519', true, []) }
}

for (const name of ['createCipheriv', 'createDecipheriv']) {
  const make = crypto[name]
  crypto[name] = (algorithm, key, nonce, options) => {
    if (ArrayBuffer.isView(key) && key.byteLength === 32) {
      const line = { cipher: name, key: masked(key), nonce: Buffer.from(nonce).toString('hex') }
      if (asked().includes(line.key)) hold(line)
      else tell(line)
    }
    return make(algorithm, key, nonce, options)
  }
}

const { kill } = ChildProcess.prototype
ChildProcess.prototype.kill = function killed(signal) {
  const command = this.spawnargs?.join(' ') ?? ''
  if (asked().some((word) => command.includes(word))) hold({ kills: this.pid })
  return kill.call(this, signal)
}

process.on('SIGUSR2', async () => {
  for (let round = 0; round < 4; round++) {
    globalThis.gc()
    // What native code holds for an object goes after the object, in turns of the loop.
    await new Promise((done) => setTimeout(done, 20))
  }
  tell({ collected: true })
})
