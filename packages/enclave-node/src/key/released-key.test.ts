import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSimulator } from '@sealpool/attest/simulator'
import { platformRandom } from '@sealpool/crypto'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { startFakeCommittee } from '../testing/fake-committee.js'
import { type FakeBroker, startFakeBroker } from '../testing/fake-key-broker.js'
import { fakeSimulator } from '../testing/fake-machine.js'
import { concatKdf, openJwe, sealJwe } from './jwe.js'
import { brokerKeyRelease, brokerResource, rootDigest } from './key-broker.js'
import { peersKeyRelease } from './peers-key-release.js'
import { sealedKeyRelease, sealedRootFile } from './sealed-key-release.js'
import { simulatedSealer, simulatedSealerFile } from './simulated-sealer.js'

const simulator = fakeSimulator()
const quotes = { quote: async (reportData: Uint8Array) => simulator.quote({ reportData }) }
const root = new Uint8Array(32).fill(9)
const unreadable = (message: RegExp | string = '') =>
  expect.objectContaining({ code: 'KEY_UNREADABLE', message: expect.stringMatching(message) })
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

describe('JSON Web Encryption', () => {
  it('derives keys as RFC 7518, appendix C', () => {
    const jwk = (x: string, y: string, d?: string) => ({
      kty: 'EC',
      crv: 'P-256',
      x,
      y,
      ...(d === undefined ? {} : { d }),
    })
    const alice = jwk(
      'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
      'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps',
    )
    const bob = jwk(
      'weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ',
      'e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck',
      'VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw',
    )
    const secret = diffieHellman({
      privateKey: createPrivateKey({ key: bob, format: 'jwk' }),
      publicKey: createPublicKey({ key: alice, format: 'jwk' }),
    })
    const utf8 = (text: string) => new TextEncoder().encode(text)
    const key = concatKdf({ secret, algorithm: 'A128GCM', apu: utf8('Alice'), apv: utf8('Bob'), bits: 128 })
    expect(Buffer.from(key).toString('base64url')).toBe('VqqN6vgjbSBcIijNcacQGg')
  })

  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  it('opens what was encrypted to the key, and nothing else', () => {
    const jwe = sealJwe(root, { x, y }) ?? {}
    expect(sealJwe(root, { x, y: x })).toBeUndefined()
    expect(openJwe(jwe, privateKey)).toEqual(root)
    expect(openJwe(jwe, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)).toBeUndefined()
    for (const name of Object.keys(jwe)) {
      const text = String(jwe[name])
      const changed = text.slice(0, 4) + (text[4] === 'A' ? 'B' : 'A') + text.slice(5)
      expect(openJwe({ ...jwe, [name]: changed }, privateKey), name).toBeUndefined()
      expect(openJwe({ ...jwe, [name]: '' }, privateKey), name).toBeUndefined()
    }
    expect(openJwe({ ...jwe, aad: 'AAAA' }, privateKey)).toBeUndefined()
    const header = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM' })).toString('base64url')
    expect(openJwe({ ...jwe, protected: header }, privateKey)).toBeUndefined()
  })

  it('is refused whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.record({
            protected: fc.string(),
            encrypted_key: fc.string(),
            iv: fc.string(),
            ciphertext: fc.string(),
            tag: fc.string(),
          }),
        ),
        (value) => {
          expect(openJwe(value, privateKey)).toBeUndefined()
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('a key broker', () => {
  const start = async (change: Partial<FakeBroker> = {}) => {
    const asked: string[] = []
    const resource = (path: string) => (path === 'default/sealpool/root' ? root : undefined)
    const { url, stop } = await startFakeBroker({ simulator, resource, asked, ...change })
    stops.push(stop)
    return { url, asked, quotes, timeoutMs: 2_000 }
  }
  const release = async (change: Partial<FakeBroker> = {}, more: object = {}) => {
    const broker = await start(change)
    return brokerKeyRelease({
      ...broker,
      resource: 'default/sealpool/root',
      root: rootDigest(root),
      ...more,
    }).release()
  }

  it('gives its secret to who is attested, in three steps', async () => {
    const broker = await start()
    const adapter = brokerKeyRelease({ ...broker, resource: 'default/sealpool/root', root: rootDigest(root) })
    expect(await adapter.release()).toEqual(root)
    expect(broker.asked).toEqual(['auth', 'attest', 'resource/default/sealpool/root'])
  })

  it('gives nothing to other code, to another machine, or over another nonce or key', async () => {
    await expect(release({ allows: () => false })).rejects.toEqual(unreadable(/response.*403/))
    const stranger = createSimulator({ random: platformRandom, at: new Date() })
    await expect(release({ simulator: stranger })).rejects.toEqual(unreadable(/attestation.*401/))
    const stale = { quote: async () => simulator.quote({ reportData: new Uint8Array(64) }) }
    await expect(release({}, { quotes: stale })).rejects.toEqual(unreadable(/attestation.*401/))
    const replayed: FakeBroker['answer'] = (path, given) =>
      path === 'auth' ? { ...given, body: { nonce: 'another' } } : given
    await expect(release({ answer: replayed })).rejects.toEqual(unreadable(/attestation.*401/))
  })

  it('that is not the one of the settings cannot give a secret of its own', async () => {
    const own = new Uint8Array(32).fill(1)
    await expect(release({ resource: () => own })).rejects.toEqual(unreadable('another secret'))
    await expect(release({ resource: () => root.subarray(1) })).rejects.toEqual(unreadable('another secret'))
  })

  it.each<[string, NonNullable<FakeBroker['answer']>, RegExp]>([
    ['says nothing', () => 'hang', /no answer/],
    ['answers with something else', (_, given) => ({ ...given, body: 'hello' }), /no answer/],
    ['answers with too much', (_, given) => ({ ...given, body: 'x'.repeat(300_000) }), /larger than/],
    ['has no nonce', (path, given) => (path === 'auth' ? { ...given, body: {} } : given), /no nonce/],
    ['opens no session', (_, { status, body }) => ({ status, body }), /no session/],
    [
      'has no such resource',
      (path, given) => (path.startsWith('resource') ? { status: 404, body: {} } : given),
      /404/,
    ],
    [
      'answers in the clear',
      (path, given) => (path.startsWith('resource') ? { ...given, body: { secret: '09' } } : given),
      /not encrypted/,
    ],
    ['is out of order', () => ({ status: 500, body: {} }), /500/],
  ])('that %s is told by its step', async (_, answer, message) => {
    const broker = { ...(await start({ answer })), timeoutMs: 300 }
    await expect(brokerResource(broker, 'default/sealpool/root')).rejects.toEqual(unreadable(message))
  })

  it('that is not there is told', async () => {
    const nobody = { url: 'http://127.0.0.1:1', quotes, timeoutMs: 500 }
    await expect(brokerResource(nobody, 'a/b/c')).rejects.toEqual(unreadable('request'))
  })
})

describe('t of n peers', { timeout: 240_000 }, () => {
  const start = async (change?: (place: number) => Partial<FakeBroker>) => {
    const committee = await startFakeCommittee({
      simulator,
      root,
      threshold: 2,
      members: 3,
      ...(change === undefined ? {} : { change }),
    })
    stops.push(committee.stop)
    return { ...committee, quotes, timeoutMs: 5_000 }
  }
  const away = { answer: () => ({ status: 500, body: {} }) }
  const lying = { resource: () => new TextEncoder().encode('{"a":1}') }

  it('open the root secret together, also when one is away or lies', async () => {
    expect(await peersKeyRelease(await start()).release()).toEqual(root)
    expect(await peersKeyRelease(await start((place) => (place === 0 ? away : {}))).release()).toEqual(root)
    expect(await peersKeyRelease(await start((place) => (place === 2 ? lying : {}))).release()).toEqual(root)
  })

  it('that are fewer than t open nothing', async () => {
    const few = peersKeyRelease(await start((place) => (place > 0 ? away : {})))
    await expect(few.release()).rejects.toEqual(unreadable(/1 of 3 peers.*SHARES_MISSING/))
    const one = await start()
    await expect(peersKeyRelease({ ...one, peers: one.peers.slice(1, 2) }).release()).rejects.toEqual(
      unreadable('SHARES_MISSING'),
    )
    // The same peer twice is one peer.
    const twice = peersKeyRelease({ ...one, peers: [one.peers[0] ?? '', one.peers[0] ?? ''] })
    await expect(twice.release()).rejects.toEqual(unreadable('SHARES_MISSING'))
  })

  it('open no secret of another length: it is nobody’s root', async () => {
    const short = await startFakeCommittee({ simulator, root: root.subarray(1), threshold: 2, members: 3 })
    stops.push(short.stop)
    await expect(peersKeyRelease({ ...short, quotes, timeoutMs: 5_000 }).release()).rejects.toEqual(
      unreadable('no root secret of 32 bytes'),
    )
  })

  it('open for the deployment that the secret was sealed for, and no other', async () => {
    const committee = await start()
    const other = { ...committee, label: new TextEncoder().encode('another') }
    await expect(peersKeyRelease(other).release()).rejects.toEqual(unreadable('ENVELOPE_REFUSED'))
    for (const envelope of ['!', 'AAAA'])
      await expect(peersKeyRelease({ ...committee, envelope }).release()).rejects.toEqual(unreadable())
  })
})

describe('a secret that is sealed to the measurement', () => {
  const folders: string[] = []
  afterAll(() =>
    folders.forEach((path) => {
      rmSync(path, { recursive: true })
    }),
  )
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'sealpool-sealed-'))
    folders.push(path)
    return path
  }
  const release = (directory: string, measurement: `0x${string}` = '0x01', name?: string) => {
    const sealer = simulatedSealer({ directory, measurement, random: platformRandom })
    return sealedKeyRelease({
      directory,
      sealer: { ...sealer, ...(name === undefined ? {} : { name }) },
      random: platformRandom,
    })
  }

  it('is opened by the same code on the same machine, and says that it is a simulation', async () => {
    const directory = folder()
    const adapter = release(directory)
    expect(adapter).toMatchObject({ name: 'sealed', simulated: true })
    const secret = await adapter.release()
    expect(await release(directory).release()).toEqual(secret)
    const both =
      readFileSync(join(directory, sealedRootFile), 'utf8') +
      readFileSync(join(directory, simulatedSealerFile), 'utf8')
    expect(both).toContain('SIMULATION')
    expect(both).not.toContain(Buffer.from(secret).toString('hex'))
    expect(both).not.toContain(Buffer.from(secret).toString('base64url'))
  })

  it('is given to one of two that start at the same time, and is the same for both', async () => {
    const directory = folder()
    const secrets = await Promise.all([1, 2, 3, 4].map(() => release(directory).release()))
    for (const secret of secrets) expect(secret).toEqual(secrets[0])
  })

  it('without recovery is for ever so, and one with recovery cannot be called that later', async () => {
    const directory = folder()
    const under = (recovery: 'allowed' | 'none') => {
      const sealer = simulatedSealer({ directory, measurement: '0x01', random: platformRandom })
      return sealedKeyRelease({ directory, sealer, random: platformRandom, recovery })
    }
    const secret = await under('none').release()
    expect(await under('none').release()).toEqual(secret)
    await expect(under('allowed').release()).rejects.toEqual(unreadable('keyRecovery'))
    const other = folder()
    await release(other).release()
    const sealer = simulatedSealer({ directory: other, measurement: '0x01', random: platformRandom })
    const late = sealedKeyRelease({ directory: other, sealer, random: platformRandom, recovery: 'none' })
    await expect(late.release()).rejects.toEqual(unreadable('keyRecovery'))
  })

  it('is replaced whole, for its owner alone', async () => {
    const directory = folder()
    const adapter = release(directory)
    await adapter.release()
    await adapter.install?.(root)
    expect(await release(directory).release()).toEqual(root)
    expect(statSync(join(directory, sealedRootFile)).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory).sort()).toEqual([simulatedSealerFile, sealedRootFile].sort())
  })

  it('is not opened by other code, on another machine, or when it was changed; and no other one is made', async () => {
    const directory = folder()
    await release(directory).release()
    const path = join(directory, sealedRootFile)
    const text = readFileSync(path, 'utf8')
    await expect(release(directory, '0x02').release()).rejects.toEqual(unreadable('does not open'))
    await expect(release(directory, '0x01', 'tpm').release()).rejects.toEqual(
      unreadable('sealed by "simulated"'),
    )
    rmSync(join(directory, simulatedSealerFile))
    await expect(release(directory).release()).rejects.toEqual(unreadable('does not open'))
    for (const wrong of [
      '',
      '{}',
      text.replace('sealed":"', 'sealed":"A'),
      text.replace('version":1', 'version":2'),
    ]) {
      writeFileSync(path, wrong)
      await expect(release(directory).release()).rejects.toEqual(unreadable())
      expect(readFileSync(path, 'utf8')).toBe(wrong)
    }
  })
})
