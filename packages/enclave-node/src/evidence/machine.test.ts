import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AttestationPolicy,
  defaultAttestationPolicy,
  formatPemCertificates,
  parseQuote,
  parseSnpReport,
  snpReportLength,
  verifyNodeEvidence,
} from '@sealpool/attest'
import { amdRequest } from '@sealpool/attest/collateral-source'
import { createAmdSimulator } from '@sealpool/attest/simulator'
import { encodeHex, platformRandom } from '@sealpool/crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { dstackKeyRelease } from '../key/dstack-key-release.js'
import { openKeyRing } from '../key/key-ring.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import {
  type FakeDstack,
  type FakeTsm,
  fakeSimulator,
  fakeTsmEntries,
  startFakeDstack,
} from '../testing/fake-machine.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { kernelTsmEntries, machineReport, tsmQuoteProvider } from './configfs-tsm.js'
import { dstackAgent } from './dstack-agent.js'
import { openEvidence } from './node-evidence.js'
import { takeTsmReport } from './tsm-report.js'

const simulator = fakeSimulator()
const data = new Uint8Array(64).fill(7)
const refused = (message: string | RegExp) =>
  expect.objectContaining({ code: 'QUOTE_FAILED', message: expect.stringMatching(message) })

describe('a report by configfs-tsm', () => {
  const take = (change: Partial<FakeTsm>, tries = 4) =>
    fakeTsmEntries({ simulator, ...change })((entry) =>
      takeTsmReport(entry, data, { tries, pause: async () => undefined }),
    )

  it.each<[string, Partial<FakeTsm>]>([
    ['in one piece', {}],
    ['in pieces of one byte', { shortReads: 1 }],
    ['in pieces of 4,095 bytes', { shortReads: 4095 }],
    ['without auxiliary data', { auxiliary: null }],
    ['after the device was busy', { busy: 3 }],
    ['after somebody else wrote to the entry', { disturbed: 3 }],
  ])('of TDX is read %s', async (_, change) => {
    const report = await take(change)
    expect(report).toMatchObject({ tee: 'tdx', auxiliary: null })
    expect(parseQuote(report.report).report.reportData).toEqual(data)
  })

  it('of SEV-SNP comes with its certificates', async () => {
    const auxiliary = new Uint8Array(5000).fill(3)
    const report = await take({ provider: 'sev_guest', auxiliary, shortReads: 1000 })
    expect(report).toMatchObject({ tee: 'sev-snp', auxiliary })
    expect(parseSnpReport(report.report).reportData).toEqual(data)
  })

  it.each<[RegExp, Partial<FakeTsm>]>([
    [/no undisturbed report in 4 tries/, { busy: 4 }],
    [/no undisturbed report in 4 tries/, { disturbed: 4 }],
    [/neither tdx_guest nor sev_guest/, { provider: 'arm_cca_guest' }],
    [/neither tdx_guest nor sev_guest/, { provider: 'toString' }],
    [/over other data/, { mixedUp: true }],
    [/over other data/, { mixedUp: true, provider: 'sev_guest' }],
    [/not a report of this provider/, { garbage: new Uint8Array(0) }],
    [/not a report of this provider/, { garbage: new Uint8Array(200).fill(9), provider: 'sev_guest' }],
    [/larger than 1048576 bytes/, { garbage: new Uint8Array((1 << 20) + 1) }],
  ])('is refused: %s', async (message, change) => {
    await expect(take(change)).rejects.toEqual(refused(message))
  })

  it('leaves no entry behind, whatever happens', async () => {
    const kernel: FakeTsm = { simulator }
    await machineReport(fakeTsmEntries(kernel), data)
    expect(kernel.open).toBe(0)
    kernel.provider = 'none'
    await expect(machineReport(fakeTsmEntries(kernel), data)).rejects.toEqual(refused('neither'))
    expect(kernel.open).toBe(0)
  })

  it('of SEV-SNP is node evidence that verifies, and hides no simulation', async () => {
    const at = new Date()
    const amd = createAmdSimulator({ random: platformRandom, at, product: 'Turin' })
    const kernel: FakeTsm = {
      simulator,
      amd,
      provider: 'sev_guest',
      auxiliary: new Uint8Array(100),
      shortReads: 300,
    }
    const asked: Uint8Array[] = []
    const provider = tsmQuoteProvider(fakeTsmEntries(kernel), async (quote) => {
      asked.push(quote)
      const { line, hwid } = amdRequest(quote)
      expect([line, hwid.length]).toEqual(['Turin', 16])
      return { certificates: formatPemCertificates(amd.certificates()), crl: encodeHex(amd.crl(at)) }
    })
    const store = await openPgliteStore({ directory: 'memory' })
    await migrate(store)
    const keys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('1'))
    // The machine is simulated here, and says so itself; the adapter is the one for hardware.
    const open = () => openEvidence({ provider: { ...provider, simulated: true }, keys, store })
    const source = await open()
    const nonce = `0x${'5a'.repeat(32)}` as const
    const measurement = encodeHex(parseSnpReport(await provider.quote(data)).measurement)
    const policy: AttestationPolicy = {
      ...defaultAttestationPolicy,
      roots: [amd.rootDigest],
      allowSimulator: true,
      measurements: [{ name: 'image', measurement }],
      snp: { minimumTcb: { Turin: { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 } } },
    }
    for (const [evidence, asks] of [
      [await source.registered(), {}],
      [await source.fresh(nonce), { nonce }],
      // After a restart: the registered report is the one that was kept.
      [await (await open()).registered(), {}],
    ] as const) {
      expect(evidence.tee).toBe('sev-snp')
      expect(verifyNodeEvidence({ evidence, policy, at, ...asks })).toMatchObject({
        ok: true,
        keySet: keys.keySet,
      })
      expect(verifyNodeEvidence({ evidence, policy: defaultAttestationPolicy, at, ...asks }).ok).toBe(false)
    }
    expect((await open()).quoteDigest).toBe(source.quoteDigest)
    for (const quote of asked) expect(quote).toHaveLength(snpReportLength)
    const mixed = { ...provider, collateral: async () => simulator.collateral(at) }
    await expect((await openEvidence({ provider: mixed, keys, store })).registered()).rejects.toMatchObject({
      code: 'QUOTE_FAILED',
    })
    await store.close()
  })

  it('is not to be had on a machine without the interface', async () => {
    const entries = kernelTsmEntries('/does/not/exist')
    await expect(machineReport(entries, data)).rejects.toEqual(refused('Linux 6.7'))
    // A plain folder is no kernel: nothing fills the entry, and it is removed again.
    const folder = await mkdtemp(join(tmpdir(), 'sealpool-tsm-'))
    await expect(machineReport(kernelTsmEntries(folder), data)).rejects.toEqual(
      refused('the kernel gave no report'),
    )
    await rm(folder, { recursive: true })
  })
})

describe('the guest agent of dstack', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })
  const start = async (change: Partial<FakeDstack> = {}, timeoutMs = 5_000) => {
    const fake: FakeDstack = { simulator, asked: [], ...change }
    const { socketPath, stop } = await startFakeDstack(fake)
    stops.push(stop)
    return { fake, agent: dstackAgent({ socketPath, timeoutMs }) }
  }
  const quoteOver = (fill: number) =>
    Buffer.from(simulator.quote({ reportData: new Uint8Array(64).fill(fill) })).toString('hex')

  it('gives a quote, with and without 0x before it', async () => {
    const { agent } = await start()
    expect(parseQuote(await agent.quote(data)).report.reportData).toEqual(data)
    const prefixed = await start({ answer: () => ({ body: JSON.stringify({ quote: `0x${quoteOver(7)}` }) }) })
    expect(parseQuote(await prefixed.agent.quote(data)).report.reportData).toEqual(data)
  })

  it.each<[string, string, number | undefined]>([
    ['another form', '{"quote": 7}', undefined],
    ['not JSON', '<html>', undefined],
    ['status 500', '{"error":"no"}', 500],
    ['not a quote', '{"quote":"abcd"}', undefined],
    ['over other data', JSON.stringify({ quote: quoteOver(8) }), undefined],
  ])('is refused a quote: %s', async (message, body, status) => {
    const { agent } = await start({ answer: () => ({ body, ...(status === undefined ? {} : { status }) }) })
    await expect(agent.quote(data)).rejects.toEqual(refused(message))
  })

  it('is given up when it hangs or is not there', async () => {
    const { agent } = await start({ answer: () => 'hang' }, 200)
    await expect(agent.quote(data)).rejects.toEqual(refused('does not answer'))
    const nobody = dstackAgent({ socketPath: '/does/not/exist.sock', timeoutMs: 200 })
    await expect(nobody.quote(data)).rejects.toEqual(refused('socket mounted'))
    const flood = await start({ answer: () => ({ body: 'x'.repeat(9 << 20) }) })
    await expect(flood.agent.quote(data)).rejects.toEqual(refused('does not answer'))
  })

  it('gives one application one secret, and another one another', async () => {
    const { agent, fake } = await start()
    const secret = await dstackKeyRelease(agent).release()
    expect(await dstackKeyRelease(agent).release()).toEqual(secret)
    expect(fake.asked).toEqual(['GetKey', 'GetKey'])
    const other = await start({ application: 'another' })
    expect(await dstackKeyRelease(other.agent).release()).not.toEqual(secret)
  })

  it.each([
    ['{"key":"00"}'],
    [`{"key":"${'00'.repeat(32)}"}`],
    [`{"key":"${'ab'.repeat(33)}"}`],
    ['{"secret":"0123456789"}'],
  ])('is refused a key that is none, and the error does not repeat it: %s', async (body) => {
    const { agent } = await start({ answer: () => ({ body }) })
    await expect(dstackKeyRelease(agent).release()).rejects.toEqual(
      expect.objectContaining({
        code: 'KEY_UNREADABLE',
        message: expect.not.stringMatching(/abab|0123456789/),
      }),
    )
  })
})
