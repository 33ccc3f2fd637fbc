import { describe, expect, it, vi } from 'vitest'
import type { Collateral } from '../intel/collateral.js'
import type { PreparedCollateral } from '../intel/prepared-collateral.js'
import { createAmdSimulator } from '../simulator/index.js'
import { at, evidence, quote, seededRandom, simulator, trust } from '../testing/fixture.js'
import { nitroDocument } from '../testing/nitro-fixture.js'
import { spdmCertificates, spdmReport } from '../testing/spdm-fixture.js'
import type { Check } from '../verdict/check-list.js'
import {
  prepareCollateral,
  verifyCollateral,
  verifyNitroDocument,
  verifyNodeEvidence,
  verifyNvidiaReport,
  verifyQuote,
  verifySnpReport,
} from '../with-platform.js'
import { verifyAmdSignature } from './amd.js'
import { verifyP256 } from './p256.js'
import { keyAlgorithm, type VerifySignature } from './port.js'
import { withWebCrypto } from './web-crypto.js'

const collateral = simulator.collateral(at)
const options = { at, trustedRoots: [simulator.rootDigest] }

const portable: VerifySignature = (...asked) =>
  keyAlgorithm(asked[0]) === 'p256' ? verifyP256(...asked) : verifyAmdSignature(...asked)

describe('withWebCrypto', () => {
  it('gives the verdict of every other port, good and bad', async () => {
    const cases: [Uint8Array, Collateral][] = [
      [quote, collateral],
      [simulator.quote({ reportData: new Uint8Array(64), defect: 'tampered-body' }), collateral],
      [simulator.quote({ reportData: new Uint8Array(64), defect: 'tampered-qe-report' }), collateral],
      [quote, simulator.collateral(at, { defect: 'tampered-crl' })],
      [quote, simulator.collateral(at, { defect: 'tampered-tcb-info' })],
    ]
    for (const [bytes, given] of cases) {
      const verdict = await withWebCrypto((verifySignature) =>
        verifyQuote(bytes, { ...options, collateral: given, verifySignature }),
      )
      expect(verdict).toEqual(verifyQuote(bytes, { ...options, collateral: given }))
    }
  })

  it('prepares collateral and verifies SEV-SNP reports', async () => {
    const prepared = await withWebCrypto((verifySignature) =>
      prepareCollateral(collateral, { verifySignature }),
    )
    expect(verifyQuote(quote, { ...options, collateral: prepared }).ok).toBe(true)
    const amd = createAmdSimulator({ random: seededRandom('web'), at })
    const report = amd.report({ reportData: new Uint8Array(64) })
    const given = { certificates: amd.certificates(), crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] }
    for (const bytes of [
      report,
      amd.report({ reportData: new Uint8Array(64), defect: 'tampered-signature' }),
    ]) {
      const verdict = await withWebCrypto((verifySignature) =>
        verifySnpReport(bytes, { ...given, verifySignature }),
      )
      expect(verdict).toEqual(verifySnpReport(bytes, given))
    }
  })

  const forgedCollateral = simulator.collateral(at, { defect: 'tampered-tcb-info' })
  const forged = simulator.quote({ reportData: new Uint8Array(64), defect: 'tampered-body' })
  const refused = { name: 'AttestError', code: 'BAD_ARGUMENT' }

  it('refuses a verification that waits, whose answers would be provisional ones', async () => {
    const seen: boolean[] = []
    const waiting = async (verifySignature: VerifySignature) => {
      await Promise.resolve()
      const verdict = verifyQuote(forged, { ...options, collateral, verifySignature })
      seen.push(verdict.ok)
      return verdict
    }
    // @ts-expect-error: nothing that waits is a verification's answer
    await expect(withWebCrypto(waiting)).rejects.toMatchObject(refused)
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(seen).toEqual([])
    const loose = withWebCrypto as (ask: (port: VerifySignature) => unknown) => Promise<unknown>
    const direct = async (verifySignature: VerifySignature) =>
      verifyQuote(forged, { ...options, collateral, verifySignature })
    await expect(loose(direct)).rejects.toMatchObject(refused)
    // biome-ignore lint/suspicious/noThenProperty: what counts is how it looks
    await expect(loose(() => ({ then: () => undefined }))).rejects.toMatchObject(refused)
  })

  it('takes no answer of a port whose run is over', async () => {
    const kept: VerifySignature[] = []
    await withWebCrypto((verifySignature) => {
      kept.push(verifySignature)
      return verifyQuote(quote, { ...options, collateral, verifySignature })
    })
    expect(kept.length).toBeGreaterThan(1)
    for (const verifySignature of kept) {
      const ask = () => verifyQuote(forged, { ...options, collateral, verifySignature })
      expect(ask).toThrow(expect.objectContaining(refused))
    }
  })

  it('a handle holds no provisional answer, wherever it is used and however it was kept', async () => {
    const bytes = simulator.quote({ reportData: new Uint8Array(64) })
    const prepare = (verifySignature: VerifySignature) =>
      prepareCollateral(forgedCollateral, { verifySignature })
    const verify = (handle: PreparedCollateral, port?: VerifySignature) =>
      verifyQuote(bytes, {
        ...options,
        collateral: handle,
        ...(port === undefined ? {} : { verifySignature: port }),
      })
    const handles: PreparedCollateral[] = []
    const keep = (handle: PreparedCollateral) => {
      handles.push(handle)
      return handle
    }
    let [once, wrapped]: (PreparedCollateral | undefined)[] = []
    const asks: ((port: VerifySignature) => unknown)[] = [
      (port) => verify(keep(prepare(port)), port),
      (port) => {
        once ??= keep(prepare(port))
        return verify(once, port)
      },
      (port) => {
        wrapped ??= keep(prepare((...asked) => port(...asked)))
        return verify(wrapped, port)
      },
    ]
    const natively = verify(prepareCollateral(forgedCollateral))
    expect(natively.checks.filter(({ result }) => result === 'fail').length).toBeGreaterThan(0)
    for (const ask of asks) expect(await withWebCrypto(ask)).toEqual(natively)
    const loose = withWebCrypto as (ask: (port: VerifySignature) => unknown) => Promise<unknown>
    await expect(loose(async (port) => keep(prepare(port)))).rejects.toMatchObject(refused)
    expect(handles.length).toBe(5)
    for (const handle of handles) {
      expect(verify(handle)).toEqual(natively)
      expect(await withWebCrypto((port) => verify(handle, port))).toEqual(natively)
    }
  })

  it('a verdict of a provisional run passes nothing, whoever keeps it', async () => {
    const amd = createAmdSimulator({ random: seededRandom('web'), at })
    const report = amd.report({ reportData: new Uint8Array(64), defect: 'tampered-signature' })
    const given = { certificates: amd.certificates(), crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] }
    const good = { ...options, collateral }
    const forgedSource = { ...options, collateral: forgedCollateral }
    const policy = { ...trust, roots: [simulator.rootDigest] }
    const asks: [string, (verifySignature: VerifySignature) => { ok: boolean; checks: readonly Check[] }][] =
      [
        ['quote', (verifySignature) => verifyQuote(forged, { ...good, verifySignature })],
        ['its collateral', (verifySignature) => verifyQuote(quote, { ...forgedSource, verifySignature })],
        [
          'prepared',
          (verifySignature) => {
            const prepared = prepareCollateral(forgedCollateral, { verifySignature })
            return verifyQuote(quote, { ...options, collateral: prepared, verifySignature })
          },
        ],
        [
          'collateral',
          (verifySignature) => verifyCollateral(forgedCollateral, { ...options, verifySignature }),
        ],
        ['SEV-SNP', (verifySignature) => verifySnpReport(report, { ...given, verifySignature })],
        ['Nitro', (verifySignature) => verifyNitroDocument(nitroDocument(), { at, verifySignature })],
      ]
    for (const [name, ask] of asks) {
      // By a cache and by a list, each beside a verification that asks the same things first.
      let cached: ReturnType<typeof ask> | undefined
      const kept: ReturnType<typeof ask>[] = []
      await withWebCrypto((port) => {
        verifyQuote(quote, { ...good, verifySignature: port })
        kept.push(ask(port), ask(port))
        cached ??= ask(port)
        return cached
      })
      expect(kept.length, name).toBe(4)
      const last = kept.splice(2)
      for (const verdict of [cached, ...kept]) {
        expect(verdict?.ok, name).toBe(false)
        expect(
          verdict?.checks.filter(({ result }) => result === 'pass'),
          name,
        ).toEqual([])
      }
      for (const verdict of last) expect(verdict, name).toEqual(ask(portable))
    }
    let node: ReturnType<typeof verifyNodeEvidence> | undefined
    const genuine = (verifySignature: VerifySignature) =>
      verifyNodeEvidence({ evidence, policy, at, verifySignature })
    const judged = await withWebCrypto((port) => {
      node ??= genuine(port)
      return genuine(port)
    })
    expect([node?.ok, node?.verdict.ok, node?.appraisal.answer]).toEqual([false, false, 'not-proved'])
    expect(judged).toEqual(genuine(portable))
    expect(judged.ok).toBe(true)
  })

  it('is a typed error where there is no WebCrypto, and no answer about the evidence', async () => {
    const ask = (verifySignature: VerifySignature) =>
      verifyQuote(quote, { ...options, collateral, verifySignature })
    const none = { ...refused, place: 'subtle' }
    for (const subtle of [null, {}, 'x', { verify: () => true }] as unknown as SubtleCrypto[])
      await expect(withWebCrypto(ask, subtle)).rejects.toMatchObject(none)
    // A page over http:, and a platform without any of it.
    for (const crypto of [{}, undefined]) {
      vi.stubGlobal('crypto', crypto)
      try {
        await expect(withWebCrypto(ask)).rejects.toMatchObject(none)
      } finally {
        vi.unstubAllGlobals()
      }
    }
  })

  it('asks the portable port for what WebCrypto cannot do', async () => {
    const { subtle } = globalThis.crypto
    const cannot = () => {
      throw new DOMException('Not here', 'NotSupportedError')
    }
    const rejects = async () => cannot()
    const amd = createAmdSimulator({ random: seededRandom('web'), at })
    const given = { certificates: amd.certificates(), crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] }
    const reportData = new Uint8Array(64)
    const asks: ((verifySignature: VerifySignature) => { readonly ok: boolean })[] = [
      ...[quote, forged].map((bytes) => (verifySignature: VerifySignature) => {
        return verifyQuote(bytes, { ...options, collateral, verifySignature })
      }),
      ...[amd.report({ reportData }), amd.report({ reportData, defect: 'tampered-signature' })].map(
        (bytes) => (verifySignature: VerifySignature) =>
          verifySnpReport(bytes, { ...given, verifySignature }),
      ),
    ]
    for (const limited of [
      { importKey: cannot },
      { importKey: rejects, verify: rejects },
      { importKey: subtle.importKey.bind(subtle), verify: rejects },
    ] as unknown as SubtleCrypto[]) {
      const verdicts = await Promise.all(asks.map((ask) => withWebCrypto(ask, limited)))
      expect(verdicts).toEqual(asks.map((ask) => ask(portable)))
      expect(verdicts.map(({ ok }) => ok)).toEqual([true, false, true, false])
    }
  })

  it('says false of keys and signatures that are none', async () => {
    const bytes = (length: number, first: number) => new Uint8Array(length).fill(1).fill(first, 0, 1)
    for (const key of [
      bytes(65, 4),
      bytes(97, 4),
      bytes(65, 0x30),
      bytes(3, 0x30),
      bytes(65, 2),
      bytes(0, 0),
    ])
      for (const length of [0, 1, 64, 96])
        expect(await withWebCrypto((port) => port(key, bytes(3, 3), bytes(length, 1)))).toBe(false)
  })

  it.each<[string, unknown]>([
    ['a promise', async () => false],
    ['a promise of true', async () => true],
    ['a text', () => 'no'],
    ['an object', () => ({})],
    ['a number', () => 1],
    ['nothing', () => undefined],
  ])('no verifier takes %s for the answer of a port', (_, port) => {
    const verifySignature = port as VerifySignature
    const amd = createAmdSimulator({ random: seededRandom('web'), at })
    const given = { certificates: amd.certificates(), crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] }
    const report = amd.report({ reportData: new Uint8Array(64) })
    for (const ask of [
      () => verifyQuote(forged, { ...options, collateral, verifySignature }),
      () => prepareCollateral(collateral, { verifySignature }),
      () => verifyCollateral(forgedCollateral, { ...options, verifySignature }),
      () => verifySnpReport(report, { ...given, verifySignature }),
      () => verifyNitroDocument(nitroDocument(), { at, verifySignature }),
      () => verifyNvidiaReport(spdmReport(), { at, certificates: spdmCertificates(), verifySignature }),
    ])
      expect(ask).toThrow(expect.objectContaining(refused))
  })

  it.each<unknown>([null, 'x', {}, true])('a port that is none is a typed error: %j', (port) => {
    const verifySignature = port as VerifySignature
    expect(() => verifyQuote(quote, { ...options, collateral, verifySignature })).toThrow(
      expect.objectContaining(refused),
    )
  })

  it.each<unknown>([simulator.rootDigest, `x${simulator.rootDigest}`, {}, null])(
    'trusted roots are a list or a typed error: %j',
    (given) => {
      const trustedRoots = given as []
      const amd = createAmdSimulator({ random: seededRandom('web'), at })
      const report = amd.report({ reportData: new Uint8Array(64) })
      const material = { certificates: amd.certificates(), crl: amd.crl(at) }
      for (const ask of [
        () => verifyQuote(quote, { at, collateral, trustedRoots }),
        () => verifyCollateral(collateral, { at, trustedRoots }),
        () => verifySnpReport(report, { ...material, at, trustedRoots }),
      ])
        expect(ask).toThrow(expect.objectContaining(refused))
    },
  )

  it('passes errors on, and ends when the questions never do', async () => {
    await expect(
      withWebCrypto(() => verifyQuote(new Uint8Array(3), { ...options, collateral })),
    ).rejects.toThrow(/only versions 3, 4 and 5/)
    let count = 0
    const endless = withWebCrypto((verify) => {
      count += 1
      return verify(new Uint8Array(65), Uint8Array.of(count), new Uint8Array(64))
    })
    await expect(endless).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})
