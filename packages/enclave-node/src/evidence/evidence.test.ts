import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AttestationPolicy,
  defaultAttestationPolicy,
  measurementDigest,
  verifyNodeEvidence,
} from '@sealpool/attest'
import { decodeBase64Url, platformRandom, sha256Digest } from '@sealpool/crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { openKeyRing } from '../key/key-ring.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { openEvidence, registrationNonce } from './node-evidence.js'
import {
  openSimulator,
  simulatedPlatform,
  simulatorFile,
  simulatorQuoteProvider,
} from './simulator-quote-provider.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const directory = await mkdtemp(join(tmpdir(), 'sealpool-evidence-'))
afterAll(async () => {
  await store.close()
  await rm(directory, { recursive: true, force: true })
})
const at = new Date()
const open = () => openSimulator({ directory, random: platformRandom, at })
const keys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('1'))
const evidenceOf = (ring = keys) =>
  openEvidence({ provider: simulatorQuoteProvider(open(), () => at), keys: ring, store })

describe('simulated evidence', () => {
  const platform = simulatedPlatform(open())
  const policy: AttestationPolicy = {
    ...defaultAttestationPolicy,
    roots: [platform.rootDigest],
    allowSimulator: true,
    measurements: [{ name: 'test', mrTd: platform.mrTd, rtmrs: [...platform.rtmrs] }],
  }

  it('keeps its root in a file that says what it is, for its owner alone', async () => {
    expect(simulatedPlatform(open())).toEqual(platform)
    expect((await stat(join(directory, simulatorFile))).mode & 0o777).toBe(0o600)
    expect(simulatorFile).toContain('NOT-HARDWARE')
  })

  it('verifies only under a policy that names this very root, and says that it is simulated', async () => {
    const evidence = await (await evidenceOf()).registered()
    const verdict = verifyNodeEvidence({ evidence, policy, at })
    expect(verdict).toMatchObject({ ok: true, keySet: keys.keySet, verdict: { simulated: true } })
    if (verdict.verdict.claims.tee === 'tdx') {
      expect(measurementDigest(verdict.verdict.claims)).toBe(platform.measurement)
    }
    expect(verifyNodeEvidence({ evidence, policy: defaultAttestationPolicy, at }).ok).toBe(false)
    expect(verifyNodeEvidence({ evidence, policy: { ...policy, allowSimulator: false }, at }).ok).toBe(false)
    expect(verifyNodeEvidence({ evidence, policy: { ...policy, roots: [digestOfDigit('2')] }, at }).ok).toBe(
      false,
    )
  })

  it('keeps the registered quote over restarts, and takes a fresh one over each nonce', async () => {
    const first = await evidenceOf()
    const again = await evidenceOf()
    expect(again.quoteDigest).toBe(first.quoteDigest)
    const registered = await again.registered()
    expect(registered.nonce).toBe(registrationNonce)
    expect(sha256Digest(decodeBase64Url(registered.quote))).toBe(first.quoteDigest)
    const nonce = `0x${'5a'.repeat(32)}` as const
    const fresh = await again.fresh(nonce)
    expect(verifyNodeEvidence({ evidence: fresh, policy, at, nonce }).ok).toBe(true)
    expect(verifyNodeEvidence({ evidence: fresh, policy, at, nonce: registrationNonce }).ok).toBe(false)
    expect(verifyNodeEvidence({ evidence: registered, policy, at, nonce }).ok).toBe(false)
  })

  it('takes another quote for another key set', async () => {
    const other = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('3'))
    expect((await evidenceOf(other)).quoteDigest).not.toBe((await evidenceOf()).quoteDigest)
  })

  it('refuses a broken simulator file instead of making another root', async () => {
    const path = join(directory, simulatorFile)
    const before = await readFile(path)
    await writeFile(path, '{"format":"sealpool/simulator"}')
    expect(open).toThrow(expect.objectContaining({ code: 'KEY_UNREADABLE' }))
    await writeFile(path, before)
  })
})
