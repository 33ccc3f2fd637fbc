import { encodeBase64Url } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SnpClaims } from '../amd/claims.js'
import { type GpuEvidence, parseNodeEvidence } from '../evidence/node-evidence.js'
import { nodeReportData } from '../evidence/report-data.js'
import { appraiseNodeGpus, gpuLimits, gpuNonce, parseNodeGpuPolicy } from '../platform-evidence/index.js'
import { createGpuSimulator, simulatedDstackLog } from '../simulator/index.js'
import { at, evidence, keySet, mrTd, seededRandom, simulator, trust } from '../testing/fixture.js'
import { verifyNodeEvidence } from '../with-platform.js'
import { type GpuMode, gpuModeEvent } from './gpu-mode.js'

const service = createGpuSimulator({ random: seededRandom('service') })
const composeHash = `0x${'0c'.repeat(32)}` as const
const mode: GpuMode = {
  format: 'sealpool/gpu-mode',
  version: 1,
  confidentialComputing: 'on',
  developerTools: 'off',
  devices: 2,
}
const nonceOf = (digit: string) => `0x${digit.repeat(64)}` as const
const guestOf = (...recorded: GpuMode[]) =>
  simulatedDstackLog({
    composeHash,
    appId: `0x${'0b'.repeat(20)}`,
    appEvents: recorded.map(gpuModeEvent),
  })

/** What a node shows over a nonce whose guest has recorded this. */
function shownOver(nonce: ReturnType<typeof nonceOf>, recorded: readonly GpuMode[] = [mode], devices = 2) {
  const { eventLog, rtmrs } = guestOf(...recorded)
  const reportData = nodeReportData(keySet, nonce)
  const gpu: GpuEvidence = {
    eventLog: JSON.stringify(eventLog),
    token: JSON.stringify(service.token({ nonce: gpuNonce(reportData), devices, at })),
  }
  const quote = encodeBase64Url(simulator.quote({ reportData, mrTd, rtmrs }))
  return { ...evidence, nonce, quote, gpu }
}
const policy = parseNodeGpuPolicy({
  format: 'sealpool/platform-policy',
  version: 1,
  dstack: { hardware: trust, apps: [{ name: 'app', composeHash }] },
  nvidiaToken: {},
  gpu: { minimumDevices: 2 },
})

function judge(
  given: ReturnType<typeof shownOver>,
  shown: GpuEvidence | null = given.gpu,
  change: Partial<Parameters<typeof appraiseNodeGpus>[0]> = {},
) {
  const { verdict: hardware, ok, gpu } = verifyNodeEvidence({ evidence: given, policy: trust, at })
  expect([ok, gpu]).toEqual([true, given.gpu])
  return appraiseNodeGpus({ shown, hardware, policy, keys: service.serviceKeys, at, ...change })
}
const here = shownOver(nonceOf('1'))

describe('what a node shows of its GPUs', () => {
  it('is allowed beside its own fresh quote, with what was recorded and what that does not prove', () => {
    expect(judge(here)).toMatchObject({ answer: 'allowed', reasons: [], mode, limits: gpuLimits })
  })

  it('is judged by nobody who verifies the node alone, and null where it shows none', () => {
    const { gpu } = verifyNodeEvidence({ evidence, policy: trust, at })
    expect(gpu).toBeNull()
  })

  it.each<[string, () => ReturnType<typeof judge>, string, RegExp]>([
    ['nothing', () => judge(here, null), 'not-proved', /shows no evidence of GPUs/],
    [
      'developers’ tools',
      () => judge(shownOver(nonceOf('1'), [{ ...mode, developerTools: 'on' }])),
      'not-allowed',
      /developers’ tools/,
    ],
    [
      'confidential computing off',
      () => judge(shownOver(nonceOf('1'), [{ ...mode, confidentialComputing: 'off' }])),
      'not-allowed',
      /confidential computing is off/,
    ],
    [
      'GPUs that were set anew',
      () => judge(shownOver(nonceOf('1'), [mode, mode])),
      'not-proved',
      /more than once/,
    ],
    ['no record', () => judge(shownOver(nonceOf('1'), [])), 'not-proved', /recorded no mode/],
    [
      'fewer than are recorded',
      () => judge(shownOver(nonceOf('1'), [mode], 1)),
      'not-allowed',
      /evidence of 1 was given/,
    ],
    [
      'fewer than are asked for',
      () => judge(shownOver(nonceOf('1'), [{ ...mode, devices: 1 }], 1)),
      'not-allowed',
      /asks for 2/,
    ],
    [
      'a token over the nonce itself',
      () =>
        judge(here, {
          ...here.gpu,
          token: JSON.stringify(service.token({ nonce: new Uint8Array(32).fill(0x11), devices: 2, at })),
        }),
      'false',
      /nonce/,
    ],
    ['what it showed over an older nonce', () => judge(here, shownOver(nonceOf('2')).gpu), 'false', /nonce/],
    [
      'the log of another guest',
      () => judge(here, { ...here.gpu, eventLog: JSON.stringify(guestOf({ ...mode, devices: 3 }).eventLog) }),
      'false',
      /RTMR3|log/i,
    ],
    [
      'a token of another service',
      () =>
        judge(here, here.gpu, { keys: createGpuSimulator({ random: seededRandom('other') }).serviceKeys }),
      'not-proved',
      /key/,
    ],
    [
      'another app',
      () => judge(here, here.gpu, { policy: { ...policy, dstack: { hardware: trust, apps: [] } } }),
      'not-allowed',
      /compose hash/,
    ],
  ])('is not enough when it is %s', (_, ask, answer, why) => {
    const judged = ask()
    expect([judged.answer, judged.mode]).toEqual([answer, null])
    expect(judged.reasons.join(' ')).toMatch(why)
    expect(judged.limits).toEqual(gpuLimits)
  })

  it('is not proved beside hardware that has no such register', () => {
    const { verdict: hardware } = verifyNodeEvidence({ evidence: here, policy: trust, at })
    const claims = { ...hardware.claims, tee: 'sev-snp' } as unknown as SnpClaims
    const judged = appraiseNodeGpus({
      shown: here.gpu,
      hardware: { ...hardware, claims },
      policy,
      keys: [],
      at,
    })
    expect(judged).toMatchObject({ answer: 'not-proved', reasons: [/no register/] })
  })

  it.each<[string, keyof GpuEvidence, string, string]>([
    ['a log that is no JSON', 'eventLog', '[', 'BAD_EVIDENCE'],
    ['a log that is none', 'eventLog', '{}', 'BAD_EVENT_LOG'],
    ['a token that is no JSON', 'token', '', 'BAD_EVIDENCE'],
    ['a token that is none', 'token', '[]', 'BAD_EVIDENCE'],
  ])('cannot be read: %s', (_, name, text, code) => {
    expect(() => judge(here, { ...here.gpu, [name]: text })).toThrow(expect.objectContaining({ code }))
  })

  it('has two texts of bounded length, and nothing else', () => {
    const read = (gpu: unknown) => () => parseNodeEvidence({ ...here, gpu })
    const wrong = expect.objectContaining({ code: 'BAD_EVIDENCE' })
    expect(read(here.gpu)()).toEqual(here)
    for (const gpu of [null, [], { ...here.gpu, more: 1 }, { token: '' }, { eventLog: '' }])
      expect(read(gpu)).toThrow(wrong)
    expect(read({ ...here.gpu, eventLog: ' '.repeat((1 << 20) + 1) })).toThrow(wrong)
    expect(read({ ...here.gpu, token: ' '.repeat((1 << 20) + 1) })).toThrow(wrong)
  })

  it('is not shown by a guest of SEV-SNP', () => {
    const collateral = { certificates: '', crl: '0x00' }
    expect(() => parseNodeEvidence({ ...here, tee: 'sev-snp', collateral })).toThrow(
      expect.objectContaining({ code: 'BAD_EVIDENCE' }),
    )
  })

  it('loses nothing without notice: no event, no device, no token', () => {
    const log = JSON.parse(here.gpu.eventLog) as unknown[]
    const [overall, devices] = JSON.parse(here.gpu.token) as [unknown, Record<string, string>]
    const without = <T>(list: readonly T[], index: number) => list.filter((_, at) => at !== index)
    const dropped: (readonly [string, GpuEvidence])[] = [
      ...log.map(
        (_, i) => [`event ${i}`, { ...here.gpu, eventLog: JSON.stringify(without(log, i)) }] as const,
      ),
      ...Object.keys(devices).map(
        (_, i) =>
          [
            `device ${i}`,
            {
              ...here.gpu,
              token: JSON.stringify([overall, Object.fromEntries(without(Object.entries(devices), i))]),
            },
          ] as const,
      ),
    ]
    fc.assert(
      fc.property(fc.constantFrom(...dropped), ([, shown]) => judge(here, shown).answer !== 'allowed'),
      { numRuns: 20 },
    )
    expect(dropped.length).toBeGreaterThan(8)
  })

  it('belongs to these keys: the same guest’s under another key set has another nonce', () => {
    const other = nodeReportData({ ...keySet, config: `sha256:${'2'.repeat(64)}` }, nonceOf('1'))
    const token = JSON.stringify(service.token({ nonce: gpuNonce(other), devices: 2, at }))
    expect(judge(here, { ...here.gpu, token }).answer).toBe('false')
  })
})

describe('rules for GPUs of nodes', () => {
  it.each<[string, object, string]>([
    ['no guest', { dstack: undefined }, 'policy.gpu'],
    ['no devices', { nvidiaToken: undefined }, 'policy'],
    ['no GPUs', { gpu: undefined }, 'policy'],
    ['evidence that no node shows', { nvidia: {} }, 'policy.nvidia'],
  ])('are refused with %s', (_, change, place) => {
    const json = Object.fromEntries(
      Object.entries({ ...policy, ...change }).filter(([, value]) => value !== undefined),
    )
    expect(() => parseNodeGpuPolicy(json)).toThrow(
      expect.objectContaining({ code: 'BAD_POLICY', place: expect.stringMatching(`^${place}`) }),
    )
  })
})
