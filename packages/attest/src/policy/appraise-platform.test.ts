import { hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { verifyDstackEventLog } from '../dstack/event-log.js'
import { appraisePlatform, type PlatformVerdicts } from '../platform-evidence/index.js'
import { at, simulator } from '../testing/fixture.js'
import {
  all,
  app,
  ask,
  azure,
  dstack,
  hex,
  type Kind,
  nitro,
  nvidia,
  policy,
  snpPolicy,
  tdClaims,
  tdxPolicy,
  turned,
} from '../testing/platform-appraisal-table.js'
import { amd, compose, dstackLog } from '../testing/platform-fixture.js'
import type { Verdict } from '../verdict/verdict.js'
import { verifyQuote, verifySnpReport } from '../with-platform.js'

describe('appraisePlatform', () => {
  it('allows a machine whose every part the policy names', () => {
    expect(appraisePlatform(all, policy)).toMatchObject({ answer: 'allowed', reasons: [] })
  })

  it.each(Object.keys(all) as Kind[])(
    'demands %s when it is named, and refuses it when it is not',
    (kind) => {
      const { [kind]: _, ...others } = all
      expect(appraisePlatform(others, policy)).toMatchObject({
        answer: 'not-proved',
        reasons: [/none was given/],
      })
      const { [kind]: __, ...fewer } = policy
      expect(appraisePlatform(all, fewer)).toMatchObject({
        answer: 'not-allowed',
        reasons: [/has no rules for/],
      })
    },
  )

  it('gives the worst answer of all parts, and every reason, worst first', () => {
    const broken = { ...nitro, ...turned(nitro.checks, 'signature', 'fail') }
    const { nvidia: _, ...missing } = { ...all, nitro: broken }
    const rules = { ...policy, azure: { hardware: snpPolicy, images: [] } }
    const { answer, reasons } = appraisePlatform(missing, rules)
    expect(answer).toBe('false')
    expect(reasons).toEqual([
      expect.stringMatching(/signed by its certificate/),
      expect.stringMatching(/asks for NVIDIA/),
      expect.stringMatching(/no image/),
    ])
  })

  it('proves nothing of nothing', () => {
    const { format, version } = policy
    const { answer, reasons } = appraisePlatform({}, { format, version })
    expect([answer, reasons.length]).toEqual(['not-proved', 1])
  })

  it('takes an event log with the quote beside it, and needs no compose text when the policy names its hash', () => {
    const log = verifyDstackEventLog({ eventLog: dstackLog, claims: tdClaims })
    expect(log.ok).toBe(false)
    const verdicts = { dstack: { ...log, hardware: dstack.hardware } }
    expect(ask('dstack', verdicts.dstack, policy.dstack).answer).toBe('allowed')
  })

  it('proves nothing of an event log and a quote that do not belong together', () => {
    const quoted = (quote: Parameters<typeof simulator.quote>[0]) =>
      verifyQuote(simulator.quote(quote), {
        collateral: simulator.collateral(at),
        at,
        trustedRoots: [simulator.rootDigest],
      })
    const bytes = (value: string) => hexToBytes(value.slice(2))
    const rtmrs = tdClaims.rtmrs.map(bytes)
    const log = verifyDstackEventLog({ eventLog: dstackLog, claims: tdClaims, compose })
    expect(log.rtmrs).toEqual(tdClaims.rtmrs)
    const anyImage = { ...tdxPolicy, measurements: [{ name: 'image', mrTd: tdClaims.mrTd }] }
    const rules = { hardware: anyImage, apps: [app] }
    const answer = (verdict: object, hardware: Verdict | null) =>
      ask('dstack', { ...verdict, hardware } as PlatformVerdicts['dstack'], rules)
    const reportData = bytes(tdClaims.reportData)
    for (const index of [0, 1, 2, 3]) {
      const others = rtmrs.map((one, i) => (i === index ? new Uint8Array(48).fill(1) : one))
      for (const verdict of [log, dstack]) {
        const { answer: given, reasons } = answer(verdict, quoted({ reportData, rtmrs: others }))
        expect([given, reasons]).toEqual(['not-proved', [expect.stringMatching(/another quote/)]])
      }
    }
    // An event log alone vouches for no key; a certificate's key must be the one in the quote beside it.
    const otherKey = quoted({ reportData: new Uint8Array(64), rtmrs })
    expect(answer(log, otherKey).answer).toBe('allowed')
    const { publicKey: _, ...unnamed } = dstack
    for (const verdict of [dstack, unnamed])
      expect(answer(verdict, otherKey)).toMatchObject({
        answer: 'not-proved',
        reasons: [expect.stringMatching(/vouches for another key/)],
      })
    expect(answer(unnamed, quoted({ reportData, rtmrs })).answer).toBe('not-proved')
    expect(answer({ ...dstack, publicKey: '0x00' }, dstack.hardware).answer).toBe('not-proved')
    expect(answer(dstack, quoted({ reportData, rtmrs })).answer).toBe('allowed')
    // Verdicts that tell no registers, and hardware of another kind.
    expect(answer({ ...log, rtmrs: null }, dstack.hardware).reasons).toEqual([
      expect.stringMatching(/another quote/),
    ])
    const mixed = ask('dstack', { ...log, hardware: azure.hardware }, { hardware: snpPolicy, apps: [app] })
    expect(mixed).toMatchObject({ answer: 'not-proved', reasons: [expect.stringMatching(/no TDX guest/)] })
  })

  it('proves nothing of Azure’s evidence beside another machine’s hardware', () => {
    const other = verifySnpReport(amd.report({ reportData: new Uint8Array(64) }), {
      certificates: amd.certificates(),
      crl: amd.crl(at),
      at,
      trustedRoots: [amd.rootDigest],
    })
    expect(other.ok).toBe(true)
    expect(ask('azure', { ...azure, hardware: other }, policy.azure)).toMatchObject({
      answer: 'not-proved',
      reasons: [expect.stringMatching(/another machine/)],
    })
    const given = ask('azure', { ...azure, tee: 'tdx' }, policy.azure)
    expect([given.answer, given.reasons.length]).toEqual(['not-proved', 2])
  })

  it.each(Object.keys(all) as Kind[])('asks the verdict of %s for each of its questions once', (kind) => {
    const verdict = all[kind]
    if (verdict === undefined) throw new Error('no fixture')
    const answer = (change: object) =>
      ask(kind, { ...verdict, ...change } as PlatformVerdicts[Kind], policy[kind])
    expect(answer({}).answer).toBe('allowed')
    expect(answer({ ok: false, checks: [] }).answer).toBe('not-proved')
    expect(answer({ checks: [] }).answer).toBe('not-proved')
    expect(answer({ ok: false }).reasons).toEqual(['The verdict is not ok.'])
    expect(answer({ ok: 'yes' }).answer).toBe('not-proved')
    verdict.checks.forEach((check, i) => {
      const [title] = [check.title]
      const cut = answer({ checks: verdict.checks.filter((_, j) => i !== j) })
      expect([cut.answer, cut.reasons[0]?.startsWith(title)]).toEqual(['not-proved', true])
      expect(answer({ checks: [...verdict.checks, check] }).answer).toBe('not-proved')
    })
  })

  it.each([null, undefined, 'x', { nitro: null }, { dstack: 7 }, { azure: {} }])(
    'refuses %j as verdicts',
    (verdicts) => {
      expect(() => appraisePlatform(verdicts as PlatformVerdicts, policy)).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENT' }),
      )
    },
  )

  it('offline alone is allowed by name only', () => {
    const open = {
      ...nvidia,
      checks: [
        ...turned(turned(nvidia.checks, 'not-revoked', 'not-checked').checks, 'measurements', 'not-checked')
          .checks,
      ],
    }
    const images = [{ name: 'driver', registers: { '1': hex(1, 48), '2': hex(2, 48) } }]
    const partly = [{ name: 'driver', registers: { '1': hex(1, 48) } }]
    const measured = { ...nvidia, ...turned(nvidia.checks, 'measurements', 'not-checked') }
    // A block that no image names may be anything, so that NVIDIA's values are still asked for.
    expect(ask('nvidia', measured, { images: partly }).answer).toBe('not-proved')
    const other = [{ name: 'other', registers: { '1': hex(1, 48), '2': hex(9, 48) } }]
    expect(ask('nvidia', measured, { images: [...partly, ...other] }).answer).toBe('not-proved')
    expect(ask('nvidia', measured, { images: partly, allowOfflineOnly: true }).answer).toBe('allowed')
    expect(ask('nvidia', measured, { images }).answer).toBe('allowed')
    expect(ask('nvidia', measured, {}).answer).toBe('not-proved')
    expect(ask('nvidia', open, {}).answer).toBe('not-proved')
    expect(ask('nvidia', open, { images }).answer).toBe('not-proved')
    expect(ask('nvidia', open, { allowOfflineOnly: true }).answer).toBe('allowed')
    expect(ask('nvidia', open, { images, allowOfflineOnly: true }).answer).toBe('allowed')
  })
})
