import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import { parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import type { Collateral } from '../intel/collateral.js'
import { createAmdSimulator, createSimulator } from '../simulator/index.js'
import { at, quote, seededRandom, simulator } from '../testing/fixture.js'
import { verifyQuote, verifySnpReport } from '../with-platform.js'
import {
  type AmdMaterial,
  type AmdRequest,
  amdRequest as amdRequestOf,
  bundledCollateral,
  type CollateralPort,
  cachedCollateral,
  collateralBundleSchema,
  collectBundle,
  intelRequest,
  networkCollateral,
} from './index.js'

const collateral = simulator.collateral(at)
const amd = createAmdSimulator({ random: seededRandom('source'), at })
const [vcek = new Uint8Array(), ask = new Uint8Array(), ark = new Uint8Array()] = amd.certificates()
const report = amd.report({ reportData: new Uint8Array(64) })
const hwid = Buffer.from(report.subarray(0x1a0, 0x1e0)).toString('hex')
const trustedRoots = [simulator.rootDigest, amd.rootDigest]
const amdRequest: AmdRequest = {
  line: 'Genoa',
  hwid,
  tcb: { bootloader: 10, tee: 0, snp: 23, microcode: 84 },
}

type Answer = { status?: number; headers?: Record<string, string>; body: string | Uint8Array }
const chain = encodeURIComponent(collateral.tcbInfoIssuerChain)
const answers: Record<string, () => Answer> = {
  '/tdx/certification/v4/tcb?fmspc=51aa1a7ed000': () => ({
    headers: { 'TCB-Info-Issuer-Chain': chain },
    body: collateral.tcbInfo,
  }),
  '/tdx/certification/v4/qe/identity': () => ({
    headers: { 'SGX-Enclave-Identity-Issuer-Chain': chain },
    body: collateral.qeIdentity,
  }),
  '/sgx/certification/v4/pckcrl?ca=platform&encoding=der': () => ({
    headers: { 'SGX-PCK-CRL-Issuer-Chain': encodeURIComponent(collateral.pckCrlIssuerChain) },
    body: Buffer.from(collateral.pckCrl.slice(2), 'hex'),
  }),
  '/sgx/certification/v4/rootcacrl': () => ({ body: collateral.rootCaCrl.slice(2).toUpperCase() }),
  [`/vcek/v1/Genoa/${hwid}?blSPL=10&teeSPL=00&snpSPL=23&ucodeSPL=84`]: () => ({ body: vcek }),
  '/vcek/v1/Genoa/cert_chain': () => ({ body: formatPemCertificates([ask, ark]) }),
  '/vcek/v1/Genoa/crl': () => ({ body: amd.crl(at) }),
}
const asked: string[] = []
let refusals = 0
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const url = request.url ?? ''
  asked.push(url)
  if (refusals > 0 && url.startsWith('/vcek')) {
    refusals -= 1
    response.writeHead(429, { 'retry-after': '3' }).end()
    return
  }
  const { status = 200, headers = {}, body } = answers[url]?.() ?? { status: 404, body: '' }
  response.writeHead(status, headers).end(body)
})
let baseUrl = ''
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  baseUrl = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
})
afterAll(() => server.close())

let clock = at.getTime()
const waits: number[] = []
const kds = () => ({
  baseUrl,
  now: () => clock,
  wait: async (milliseconds: number) => {
    waits.push(milliseconds)
    clock += milliseconds
  },
})
const network = (): CollateralPort => networkCollateral({ pcs: { baseUrl }, kds: kds() })
const codeOf = async (promise: Promise<unknown>) => {
  try {
    await promise
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}

describe.each<[string, () => Promise<CollateralPort>]>([
  ['the network', async () => network()],
  [
    'a cache over the network',
    async () => cachedCollateral(network(), { now: () => at.getTime(), trustedRoots }),
  ],
  [
    'a bundle collected from the network',
    async () => {
      const bundle = await collectBundle(network(), { intel: [intelRequest(quote)], amd: [amdRequest] })
      return bundledCollateral(JSON.parse(JSON.stringify(bundle)))
    },
  ],
])('%s as a source', (_, make) => {
  it('gives collateral that verifies a quote', async () => {
    const source = await make()
    const given = await source.intel(intelRequest(quote))
    expect(given).toEqual(collateral)
    expect(verifyQuote(quote, { collateral: given, at, trustedRoots: [simulator.rootDigest] }).ok).toBe(true)
  })

  it('gives certificates and the list that verify a report', async () => {
    const source = await make()
    const material = await source.amd(amdRequest)
    expect(verifySnpReport(report, { ...material, at, trustedRoots: [amd.rootDigest] }).ok).toBe(true)
  })

  it('says what it does not have', async () => {
    const source = await make()
    const unknown = { ...intelRequest(quote), fmspc: '000000000000' }
    expect(await codeOf(source.intel(unknown))).toBe('COLLATERAL_UNAVAILABLE')
    expect(await codeOf(source.amd({ ...amdRequest, hwid: 'ab'.repeat(64) }))).toBe('COLLATERAL_UNAVAILABLE')
  })
})

describe('the network source', () => {
  it('keeps AMD’s distance and waits out 429', async () => {
    waits.length = 0
    const source = network()
    refusals = 2
    await source.amd(amdRequest)
    expect(waits).toEqual([3000, 3000, 10_000, 10_000])
    refusals = 9
    expect(await codeOf(source.amd(amdRequest))).toBe('COLLATERAL_UNAVAILABLE')
    refusals = 0
  })

  it('gives up on servers that are away, slow, redirecting, too long or unreadable, and shows no query', async () => {
    const away = networkCollateral({ pcs: { baseUrl: 'http://127.0.0.1:1' } })
    expect(await codeOf(away.intel(intelRequest(quote)))).toBe('COLLATERAL_UNAVAILABLE')
    const never: typeof fetch = (_, init) =>
      new Promise((_done, fail) => init?.signal?.addEventListener('abort', () => fail(new Error('aborted'))))
    const slow = networkCollateral({ pcs: { baseUrl, timeout: 20, fetch: never } })
    expect(await codeOf(slow.intel(intelRequest(quote)))).toBe('COLLATERAL_UNAVAILABLE')
    const long: typeof fetch = async () => new Response(new Uint8Array((1 << 21) + 1))
    const endless = networkCollateral({ pcs: { baseUrl, fetch: long } })
    expect(await codeOf(endless.intel(intelRequest(quote)))).toBe('COLLATERAL_UNAVAILABLE')
    const bare: typeof fetch = async () => new Response('x')
    const chainless = networkCollateral({ pcs: { baseUrl, fetch: bare } })
    expect(await codeOf(chainless.intel(intelRequest(quote)))).toBe('COLLATERAL_UNAVAILABLE')
    const error = await away.intel(intelRequest(quote)).catch((reason: unknown) => reason)
    expect(String(error)).not.toContain('fmspc')
  })
})

describe('the cache', () => {
  it('asks once, asks again before the end, and never gives what is stale', async () => {
    let [now, count, up] = [at.getTime(), 0, true]
    const source: CollateralPort = {
      async intel() {
        count += 1
        if (!up) throw new AttestError('COLLATERAL_UNAVAILABLE', 'test', 'away')
        return collateral
      },
      amd: () => Promise.reject(new Error('not asked')),
    }
    const cache = cachedCollateral(source, { now: () => now, trustedRoots })
    const request = intelRequest(quote)
    await Promise.all([cache.intel(request), cache.intel(request), cache.intel(request)])
    await cache.intel(request)
    expect(count).toBe(1)
    up = false
    now += 29.5 * 86_400_000
    expect(await codeOf(cache.intel(request))).toBe('ok')
    expect(count).toBe(2)
    now += 86_400_000
    expect(await codeOf(cache.intel(request))).toBe('COLLATERAL_UNAVAILABLE')
  })
})

describe('a source that gives what is worth nothing', () => {
  const day = 86_400_000
  const request = intelRequest(quote)
  const moment = (days: number) => new Date(at.getTime() + days * day)
  const other = createSimulator({ random: seededRandom('another source'), at })
  const wrong: Record<string, (now: Date) => Collateral> = {
    'of another root': (now) => other.collateral(now),
    stale: () => simulator.collateral(moment(-60)),
    'not signed': (now) => simulator.collateral(now, { defect: 'tampered-tcb-info' }),
    'of the future': () => simulator.collateral(moment(90)),
  }

  it.each(Object.entries(wrong))('%s: it is not given, not kept, and replaces nothing', async (_, bad) => {
    let [days, count, good] = [0, 0, false]
    const intel = async () => {
      count += 1
      return good ? simulator.collateral(moment(days)) : bad(moment(days))
    }
    const source: CollateralPort = { intel, amd: () => Promise.reject(new Error('not asked')) }
    const cache = cachedCollateral(source, { now: () => moment(days).getTime(), trustedRoots })
    expect(await codeOf(cache.intel(request))).toBe('COLLATERAL_UNAVAILABLE')
    good = true
    const first = await cache.intel(request)
    good = false
    days = 29.2
    expect(await cache.intel(request)).toBe(first)
    expect(count).toBe(3)
    good = true
    expect(await cache.intel(request)).not.toBe(first)
    expect(count).toBe(4)
    good = false
    days = 40
    await cache.intel(request)
    expect(count).toBe(4)
    days = 62
    expect(await codeOf(cache.intel(request))).toBe('COLLATERAL_UNAVAILABLE')
  })

  it('about another platform, or another chip, is not given either', async () => {
    const options = { now: () => at.getTime(), trustedRoots }
    const source: CollateralPort = {
      intel: async () => collateral,
      amd: async () => ({ certificates: amd.certificates(), crl: amd.crl(at) }),
    }
    const cache = cachedCollateral(source, options)
    expect(await codeOf(cache.intel(request))).toBe('ok')
    expect(await codeOf(cache.intel({ ...request, fmspc: '000000000000' }))).toBe('COLLATERAL_UNAVAILABLE')
    expect(await codeOf(cache.amd(amdRequest))).toBe('ok')
    expect(await codeOf(cache.amd({ ...amdRequest, hwid: 'ab'.repeat(64) }))).toBe('COLLATERAL_UNAVAILABLE')
    const late = cachedCollateral(source, { ...options, now: () => moment(90).getTime() })
    expect(await codeOf(late.amd(amdRequest))).toBe('COLLATERAL_UNAVAILABLE')
  })

  it('of no root that is trusted is not given by a cache that names none', async () => {
    const source: CollateralPort = {
      intel: async () => collateral,
      amd: async () => ({ certificates: amd.certificates(), crl: amd.crl(at) }),
    }
    const cache = cachedCollateral(source, { now: () => at.getTime() })
    expect(await codeOf(cache.intel(request))).toBe('COLLATERAL_UNAVAILABLE')
    expect(await codeOf(cache.amd(amdRequest))).toBe('COLLATERAL_UNAVAILABLE')
  })
})

describe('a bundle', () => {
  it('is refused in any other form', () => {
    const bundle = { format: 'sealpool/collateral-bundle', version: 1, intel: [], amd: [] }
    expect(collateralBundleSchema.safeParse(bundle).success).toBe(true)
    for (const bad of [null, { ...bundle, more: 1 }, { ...bundle, intel: [{}] }, { ...bundle, version: 2 }]) {
      expect(() => bundledCollateral(bad)).toThrowError(AttestError)
    }
  })
})

describe('what a report asks for', () => {
  it('is the line, the chip and the TCB that its certificate is for', () => {
    expect(amdRequestOf(report)).toEqual(amdRequest)
  })

  it('is nothing for a report that names no processor, or that another key signed', () => {
    for (const change of [
      { version: 2 },
      { defect: 'unknown-product' },
      { defect: 'wrong-key-kind' },
    ] as const) {
      const other = amd.report({ reportData: new Uint8Array(64), ...change })
      expect(() => amdRequestOf(other)).toThrowError(AttestError)
    }
    expect(() => amdRequestOf(report.subarray(0, 100))).toThrowError(AttestError)
  })
})

describe('what a cache keeps', () => {
  const request = intelRequest(quote)
  const options = { now: () => at.getTime(), trustedRoots }
  const given: { intel: Collateral; amd: AmdMaterial } = {
    intel: { ...collateral },
    amd: { certificates: amd.certificates(), crl: amd.crl(at) },
  }
  const source: CollateralPort = { intel: async () => given.intel, amd: async () => given.amd }

  it('is nobody else’s to change, neither the source’s nor a caller’s', async () => {
    const own = { intel: { ...collateral }, amd: { certificates: amd.certificates(), crl: amd.crl(at) } }
    const cache = cachedCollateral({ intel: async () => own.intel, amd: async () => own.amd }, options)
    const first = await cache.intel(request)
    const material = await Promise.all([cache.amd(amdRequest), cache.amd(amdRequest)])
    own.intel.tcbInfo = 'changed'
    own.amd.crl.fill(0)
    own.amd.certificates[0]?.fill(0)
    expect(() => Object.assign(first, { tcbInfo: 'changed' })).toThrow(TypeError)
    material[0].crl.fill(0)
    material[0].certificates[0]?.fill(0)
    expect(material[1]).toEqual(given.amd)
    expect(await cache.intel(request)).toBe(first)
    expect(first).toEqual(collateral)
    expect(await cache.amd(amdRequest)).toEqual(given.amd)
  })

  it('is not given when it went stale while the source took its time to fail', async () => {
    let [now, slow] = [at.getTime(), 0]
    const failing: CollateralPort = {
      ...source,
      async intel() {
        if (slow === 0) return given.intel
        now += slow
        throw new AttestError('COLLATERAL_UNAVAILABLE', 'test', 'away')
      },
    }
    const cache = cachedCollateral(failing, { now: () => now, trustedRoots })
    const first = await cache.intel(request)
    now += 29.5 * 86_400_000
    slow = 600_000
    expect(await cache.intel(request)).toBe(first)
    slow = 86_400_000
    expect(await codeOf(cache.intel(request))).toBe('COLLATERAL_UNAVAILABLE')
  })

  it('is of the request as it was when it was made', async () => {
    const own = { ...request }
    const amdOwn = { ...amdRequest, tcb: { ...amdRequest.tcb } }
    const cache = cachedCollateral(
      {
        intel: async (one) => {
          own.fmspc = '000000000000'
          expect(one).toEqual(request)
          return given.intel
        },
        amd: async (one) => {
          amdOwn.tcb.snp = 0
          expect(one).toEqual(amdRequest)
          return given.amd
        },
      },
      options,
    )
    expect(await codeOf(cache.intel(own))).toBe('ok')
    expect(await codeOf(cache.amd(amdOwn))).toBe('ok')
  })

  it('is of that request even when the source changes the one it gets', async () => {
    const another = { ...request, fmspc: '000000000000' }
    const anotherTcb = { ...amdRequest, tcb: { ...amdRequest.tcb, snp: 0 } }
    const cache = cachedCollateral(
      {
        intel: async (one) => {
          Object.assign(one, request)
          return given.intel
        },
        amd: async (one) => {
          Object.assign(one.tcb, amdRequest.tcb)
          return given.amd
        },
      },
      options,
    )
    expect(await codeOf(cache.intel(another))).toBe('COLLATERAL_UNAVAILABLE')
    expect(await codeOf(cache.amd(anotherTcb))).toBe('COLLATERAL_UNAVAILABLE')
  })

  it('is given for proxies, and for objects with methods and getters, that are requests', async () => {
    const cache = cachedCollateral(source, options)
    const lively = <T extends object>(one: T): T[] => [
      new Proxy({ ...one }, {}),
      { ...one, log: () => undefined },
      Object.create(one),
    ]
    for (const one of lively(request)) expect(await codeOf(cache.intel(one))).toBe('ok')
    for (const one of lively(amdRequest)) expect(await codeOf(cache.amd(one))).toBe('ok')
    for (const tcb of lively(amdRequest.tcb))
      expect(await codeOf(cache.amd({ ...amdRequest, tcb }))).toBe('ok')
  })

  it.each([null, undefined, {}, { intel: 7 }, { intel: source.intel }])(
    'comes from a source, not %j',
    (none) => {
      expect(() => cachedCollateral(none as never, options)).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'source' }),
      )
    },
  )
  it.each<unknown>([
    null,
    undefined,
    {},
    'tdx',
    7,
    { ...request, fmspc: 5 },
    { ...request, ca: undefined },
    { ...request, tee: null },
    { ...amdRequest, line: 7 },
    { ...amdRequest, hwid: undefined },
    { ...amdRequest, tcb: null },
    { ...amdRequest, tcb: {} },
    { ...amdRequest, tcb: { ...amdRequest.tcb, fmc: '1' } },
  ])('is asked for by a request, not %j', async (none) => {
    const cache = cachedCollateral(source, options)
    expect(await codeOf(cache.intel(none as never))).toBe('BAD_ARGUMENT')
    expect(await codeOf(cache.amd(none as never))).toBe('BAD_ARGUMENT')
  })

  it.each([-1, Number.NaN, '1'])('is never stale: %s seconds before the end are refused', (refreshBefore) => {
    expect(() => cachedCollateral(source, { ...options, refreshBefore: refreshBefore as number })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'options.refreshBefore' }),
    )
  })
  it.each([0, -1, 1.5, Number.NaN])('has at least one entry, not %s', (maximumEntries) => {
    expect(() => cachedCollateral(source, { ...options, maximumEntries })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'options.maximumEntries' }),
    )
  })

  it.each([null, undefined, 7, [], {}, { certificates: ['00'], crl: null }])(
    'is not %j, which a source without types may give',
    async (none) => {
      const odd: CollateralPort = { intel: async () => none as never, amd: async () => none as never }
      const cache = cachedCollateral(odd, options)
      expect(await codeOf(cache.intel(request))).toBe('COLLATERAL_UNAVAILABLE')
      expect(await codeOf(cache.amd(amdRequest))).toBe('COLLATERAL_UNAVAILABLE')
    },
  )

  it('is kept until the first certificate ends, where that is before the lists do', async () => {
    const ends = (certificates: readonly Uint8Array[]) =>
      1000 * Math.min(...certificates.map((der) => parseCertificate(der).notAfter))
    const chains = [
      collateral.tcbInfoIssuerChain,
      collateral.qeIdentityIssuerChain,
      collateral.pckCrlIssuerChain,
    ]
    const end = {
      intel: ends(chains.flatMap(parsePemCertificates)),
      amd: ends(amd.certificates()),
    }
    for (const kind of ['intel', 'amd'] as const) {
      let now = end[kind] - 10 * 86_400_000
      let up = true
      const moment = new Date(now)
      const unless = async <T>(value: T): Promise<T> => {
        if (up) return value
        throw new AttestError('COLLATERAL_UNAVAILABLE', 'test', 'away')
      }
      const cache = cachedCollateral(
        {
          intel: () => unless(simulator.collateral(moment)),
          amd: () => unless({ certificates: amd.certificates(), crl: amd.crl(moment) }),
        },
        { now: () => now, trustedRoots },
      )
      const ask = () => codeOf(kind === 'intel' ? cache.intel(request) : cache.amd(amdRequest))
      expect(await ask()).toBe('ok')
      up = false
      now = end[kind] - 1000
      expect(await ask()).toBe('ok')
      now = end[kind] + 1000
      expect(await ask()).toBe('COLLATERAL_UNAVAILABLE')
    }
  })
})
