import { bytesToHex } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { gpuModeEventName, gpuNonce } from '../gpu/gpu-mode.js'
import { nvidiaCheckTitles } from '../nvidia/verify.js'
import {
  appraisePlatform,
  gpuLimits,
  type PlatformPolicy,
  type PlatformVerdicts,
} from '../platform-evidence/index.js'
import { boot, guestWith, mode, guestNonce as nonce, recorded, tokenFor } from '../testing/gpu-fixture.js'
import {
  policy as every,
  guestPolicy,
  hex,
  nvidia,
  passing,
  snpGuest,
  tdxPolicy,
} from '../testing/platform-appraisal-table.js'
import { runtimeEvent } from '../testing/platform-fixture.js'
import type { TdxClaims } from '../verdict/verdict.js'

const token = tokenFor(nonce)
const guest = guestWith([recorded()])
const report = { ...nvidia, checks: passing(nvidiaCheckTitles), nonce: `0x${bytesToHex(nonce)}` as const }
const { format, version, dstack: dstackRules } = every
if (dstackRules === undefined) throw new Error('the fixture has rules for dstack')
const claims = guest.hardware.claims as TdxClaims
const hardware = {
  ...tdxPolicy,
  measurements: [{ name: 'image', mrTd: claims.mrTd, rtmrs: claims.rtmrs.slice(0, 3) }],
}
const policy: PlatformPolicy = {
  format,
  version,
  dstack: { ...dstackRules, hardware },
  nvidiaToken: {},
  gpu: {},
}
const ask = (verdicts: PlatformVerdicts, rules: Partial<PlatformPolicy> = {}) =>
  appraisePlatform(verdicts, { ...policy, ...rules })
const allowed = { answer: 'allowed', reasons: [] }

describe('GPUs of a guest', () => {
  it('are allowed when the guest has recorded their mode, and they answered for its own quote', () => {
    expect(ask({ dstack: guest, nvidiaToken: token })).toMatchObject(allowed)
  })

  it('are allowed by a report of the device itself as well', () => {
    const { nvidiaToken: _, ...rules } = policy
    expect(appraisePlatform({ dstack: guest, nvidia: report }, { ...rules, nvidia: {} })).toMatchObject(
      allowed,
    )
  })

  it('are shown with what no evidence of a GPU proves: among it, that it is a statement about the boot', () => {
    const { limits } = ask({ dstack: guest, nvidiaToken: token })
    expect(limits).toEqual(gpuLimits)
    expect(limits.join(' ')).toMatch(/Boot-time only/)
    expect(ask({ dstack: guest }).limits).toEqual(gpuLimits)
    const { nvidiaToken: _, gpu: __, ...without } = policy
    expect(appraisePlatform({ dstack: guest }, without).limits).toEqual([])
    expect(appraisePlatform({ nvidiaToken: token }, { format, version, nvidiaToken: {} }).limits).toEqual(
      gpuLimits,
    )
  })

  it.each<[string, PlatformVerdicts, 'not-allowed' | 'not-proved', RegExp, Partial<PlatformPolicy>?]>([
    [
      'without confidential computing',
      { dstack: guestWith([recorded({ ...mode, confidentialComputing: 'off' })]), nvidiaToken: token },
      'not-allowed',
      /confidential computing is off/,
    ],
    [
      'with developers’ tools',
      { dstack: guestWith([recorded({ ...mode, developerTools: 'on' })]), nvidiaToken: token },
      'not-allowed',
      /developers’ tools/,
    ],
    [
      'whose mode is not recorded',
      { dstack: guestWith([]), nvidiaToken: token },
      'not-proved',
      /recorded no mode/,
    ],
    [
      'whose mode was recorded before the app was there to do so',
      {
        dstack: {
          ...guest,
          facts: { ...guest.facts, appEvents: [] },
        },
        nvidiaToken: token,
      },
      'not-proved',
      /recorded no mode/,
    ],
    [
      'that were set anew',
      { dstack: guestWith([recorded(), recorded()]), nvidiaToken: token },
      'not-proved',
      /more than once/,
    ],
    [
      'whose record cannot be read',
      { dstack: guestWith([runtimeEvent(gpuModeEventName, '00')]), nvidiaToken: token },
      'not-proved',
      /cannot be read: The payload of the event is no JSON text/,
    ],
    [
      'of which more are recorded than shown',
      { dstack: guestWith([recorded({ ...mode, devices: 2 })]), nvidiaToken: token },
      'not-allowed',
      /recorded 2 GPUs, and evidence of 1/,
    ],
    [
      'that are fewer than asked for',
      { dstack: guest, nvidiaToken: token },
      'not-allowed',
      /asks for 2/,
      { gpu: { minimumDevices: 2 } },
    ],
    [
      'of another guest',
      { dstack: guest, nvidiaToken: tokenFor(gpuNonce(new Uint8Array(64))) },
      'not-proved',
      /another guest or quote/,
    ],
    [
      'whose service’s token carries no nonce',
      { dstack: guest, nvidiaToken: { ...token, nonce: null } },
      'not-proved',
      /another guest or quote/,
    ],
    ['of which nothing is shown', { dstack: guest }, 'not-proved', /no evidence of one was given/],
  ])('are refused %s', (_, verdicts, answer, says, rules = {}) => {
    const asked = ask(verdicts, rules)
    expect(asked.answer).toBe(answer)
    expect(asked.reasons.filter((reason) => !/asks for NVIDIA token/.test(reason))).toEqual([
      expect.stringMatching(says),
    ])
  })

  it('are refused of another guest by a device’s report too, beside a token that fits', () => {
    const both = { ...policy, nvidia: {} }
    expect(appraisePlatform({ dstack: guest, nvidia: report, nvidiaToken: token }, both)).toMatchObject(
      allowed,
    )
    const strange = { ...report, nonce: hex(6, 32) }
    const asked = appraisePlatform({ dstack: guest, nvidia: strange, nvidiaToken: token }, both)
    expect(asked).toMatchObject({ answer: 'not-proved', reasons: [/another guest or quote/] })
  })

  it('are counted without the switches between them', () => {
    const [gpu] = token.devices
    if (gpu === undefined) throw new Error('the service names a GPU')
    const devices = [gpu, { ...gpu, name: 'NVSWITCH-0' }]
    expect(ask({ dstack: guest, nvidiaToken: { ...token, devices } })).toMatchObject(allowed)
    const switches = [{ ...gpu, name: 'NVSWITCH-0' }]
    expect(ask({ dstack: guest, nvidiaToken: { ...token, devices: switches } }).answer).toBe('not-allowed')
  })

  it('are judged by their own rules beside', () => {
    const debug = tokenFor(nonce, { device: { dbgstat: 'enabled' } })
    expect(ask({ dstack: guest, nvidiaToken: debug }).answer).toBe('false')
    expect(
      ask({ dstack: guest, nvidiaToken: token }, { nvidiaToken: { hardwareModels: ['GB100'] } }),
    ).toMatchObject({
      answer: 'not-allowed',
      reasons: [/model of GPU-0/],
    })
  })

  it('are refused by a record that the register does not hold', () => {
    const forged = guestWith([recorded({ ...mode, developerTools: 'on' })], [...boot, recorded()])
    expect(ask({ dstack: forged, nvidiaToken: token }).answer).toBe('false')
  })

  it('are not proved without the guest’s hardware', () => {
    for (const verdicts of [
      { nvidiaToken: token },
      { dstack: { ...guest, hardware: null }, nvidiaToken: token },
    ]) {
      const { answer, reasons } = ask(verdicts)
      expect([answer, reasons.some((reason) => /guest’s hardware was not verified/.test(reason))]).toEqual([
        'not-proved',
        true,
      ])
    }
  })

  it('are not proved of a guest of SEV-SNP: it has no register for their mode', () => {
    const rules = { ...policy, dstack: { ...dstackRules, hardware: guestPolicy } }
    const { answer, reasons } = appraisePlatform({ dstack: snpGuest, nvidiaToken: token }, rules)
    expect([answer, reasons]).toEqual([
      'not-proved',
      [expect.stringMatching(/mode of the GPUs is in no register/)],
    ])
  })

  it('may be recorded where an app may write no events of its own, and nothing else may', () => {
    const strict = { dstack: { ...dstackRules, hardware, allowAppEvents: false } }
    expect(ask({ dstack: guest, nvidiaToken: token }, strict)).toMatchObject(allowed)
    const talking = guestWith([recorded(), runtimeEvent('app-says', '01')])
    expect(ask({ dstack: talking, nvidiaToken: token }, strict)).toMatchObject({
      answer: 'not-allowed',
      reasons: [/events of its own/],
    })
    const { gpu: _, nvidiaToken: __, ...alone } = { ...policy, ...strict }
    expect(appraisePlatform({ dstack: guest }, alone)).toMatchObject({
      answer: 'not-allowed',
      reasons: [/events of its own/],
    })
  })

  it.each([
    ['a guest', { nvidiaToken: {} }, /add rules for dstack/],
    ['devices', { dstack: policy.dstack }, /add rules for nvidia or nvidiaToken/],
    ['at least one device', { ...policy, gpu: { minimumDevices: 0 } }, /gpu/],
    ['no mode of one’s own', { ...policy, gpu: { developerTools: 'on' } }, /gpu/],
  ])('are asked for with %s, or not at all', (_, rules, says) => {
    expect(() => appraisePlatform({}, { format, version, gpu: {}, ...rules } as PlatformPolicy)).toThrow(
      expect.objectContaining({ code: 'BAD_POLICY', message: expect.stringMatching(says) }),
    )
  })
})
