import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gpuLimits } from '../gpu/gpu-limits.js'
import { gpuNonce } from '../gpu/gpu-mode.js'
import { at, simulator } from '../testing/fixture.js'
import { answerFor, boot, guestNonce, guestQuote, guestWith, mode, recorded } from '../testing/gpu-fixture.js'
import { policy, tdxPolicy } from '../testing/platform-appraisal-table.js'
import { amd, serviceKeys } from '../testing/platform-fixture.js'
import { runVerifyCli } from './run.js'

let folder = ''
const file = (name: string) => join(folder, name)
const { claims } = guestWith([recorded()]).hardware
if (claims.tee !== 'tdx') throw new Error('the simulator gives claims of TDX')
const hardware = {
  ...tdxPolicy,
  measurements: [{ name: 'image', mrTd: claims.mrTd, rtmrs: claims.rtmrs.slice(0, 3) }],
}
const { format, version, dstack } = policy
const rules = { format, version, dstack: { ...dstack, hardware }, nvidiaToken: {}, gpu: {} }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-verify-gpu-'))
  const json = (value: unknown) => JSON.stringify(value)
  const files: Record<string, string | Uint8Array> = {
    quote: guestQuote([recorded()]),
    'quote-of-off': guestQuote([recorded({ ...mode, confidentialComputing: 'off' })]),
    report: amd.report({ reportData: new Uint8Array(64) }),
    collateral: json(simulator.collateral(at)),
    log: json([...boot, recorded()]),
    'log-of-off': json([...boot, recorded({ ...mode, confidentialComputing: 'off' })]),
    token: json(answerFor(guestNonce)),
    'token-of-another': json(answerFor(gpuNonce(new Uint8Array(64)))),
    keys: json({ keys: serviceKeys }),
    'key-list': json(serviceKeys),
    'no-keys': json({ keys: [] }),
    rules: json(rules),
    'rules-without-gpu': json({ ...rules, gpu: undefined }),
    'attestation-policy': json(hardware),
  }
  for (const [name, content] of Object.entries(files)) await writeFile(file(name), content)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function ask(change: Record<string, string | undefined> = {}, ...more: string[]) {
  const { quote = 'quote', ...others } = change
  const given = {
    collateral: 'collateral',
    'event-log': 'log',
    token: 'token',
    keys: 'keys',
    policy: 'rules',
    ...others,
  }
  const options = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, file(value)],
  )
  let [out, err] = ['', '']
  const io = {
    write: (text: string) => {
      out += text
    },
    writeError: (text: string) => {
      err += text
    },
    colours: false,
    now: () => at,
  }
  const code = await runVerifyCli(['gpu', file(quote), ...options, ...more], io)
  return { code, out, err }
}

describe('sealpool-verify gpu', () => {
  it('says that a guest’s GPUs are allowed, and what that does not prove', async () => {
    const { code, out } = await ask()
    expect([code, out]).toEqual([0, expect.stringContaining('OK  GPUs of a guest (SIMULATED)')])
    expect(out).toContain('Boot-time only')
    for (const limit of gpuLimits) expect(out).toContain(limit)
    expect((await ask({ keys: 'key-list' })).code).toBe(0)
  })

  it('tells programs the same', async () => {
    const { code, out } = await ask({}, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      simulated: true,
      appraisal: { answer: 'allowed', limits: gpuLimits },
    })
  })

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'GPUs without confidential computing',
      { quote: 'quote-of-off', 'event-log': 'log-of-off' },
      /computing is off/,
    ],
    ['an event log of another boot', { quote: 'quote-of-off' }, /✗ The log replays to RTMR3/],
    ['GPUs of another guest', { token: 'token-of-another' }, /✗ All of them were made for the nonce/],
  ])('refuses %s', async (_, change, says) => {
    const { code, out } = await ask(change)
    expect([code, out]).toEqual([1, expect.stringMatching(says)])
    expect(out).toContain('Boot-time only')
  })

  it.each<[string, Record<string, string | undefined>, RegExp]>([
    ['an SEV-SNP report', { quote: 'report' }, /./],
    ['no token', { token: undefined }, /--token/],
    ['no event log', { 'event-log': undefined }, /--event-log/],
    ['no keys', { keys: undefined }, /--keys/],
    ['no policy', { policy: undefined }, /--policy/],
    ['no collateral', { collateral: undefined }, /--collateral/],
    ['a policy of another form', { policy: 'attestation-policy' }, /platform policy/],
    ['a policy without rules for GPUs', { policy: 'rules-without-gpu' }, /no rules for gpu/],
    ['an event log that is none', { 'event-log': 'token' }, /event log/],
    ['a token that is none', { token: 'log' }, /./],
    ['keys that are none', { keys: 'rules' }, /JWKS/],
    ['a file that is not there', { keys: 'missing' }, /missing/],
  ])('cannot tell with %s', async (_, change, says) => {
    const { code, out, err } = await ask(change)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(says)
  })

  it('says neither yes nor no without a key of the service', async () => {
    const { code, out } = await ask({ keys: 'no-keys' })
    expect([code, out]).toEqual([2, expect.stringContaining('No keys of the service were given')])
  })
})
