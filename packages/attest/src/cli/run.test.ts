import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { amdName } from '../collateral-source/bundle.js'
import { formatPemCertificates } from '../encoding/pem.js'
import { formatCheckpoint, formatNote, formatNoteKey, leafHash, noteKey, signNote } from '../log/index.js'
import { createAmdSimulator } from '../simulator/index.js'
import { simulatorRootName } from '../simulator/test-pki.js'
import {
  at,
  bundleFiles,
  deployment,
  evidence,
  mrTd,
  quote,
  seededRandom,
  simulator,
  trust,
} from '../testing/fixture.js'
import type { Check } from '../verdict/check-list.js'
import { readInput, UnreadableError } from './read-file.js'
import { runVerifyCli } from './run.js'

let folder = ''
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-verify-'))
  for (const [name, bytes] of Object.entries(bundleFiles())) await writeFile(file(name), bytes)
  const { chainId, registry: nodeRegistry } = deployment
  await writeFile(file('deployment.json'), JSON.stringify({ chainId, nodeRegistry }))
  await writeFile(file('trust.json'), JSON.stringify(trust, null, 2))
  await writeFile(file('quote.bin'), quote)
  await writeFile(file('collateral.json'), JSON.stringify(evidence.collateral))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function run(args: string[], colours = false) {
  let [out, err] = ['', '']
  const io = {
    write: (text: string) => {
      out += text
    },
    writeError: (text: string) => {
      err += text
    },
    colours,
    now: () => at,
  }
  return { code: await runVerifyCli(args, io), out, err }
}
const withTrust = ['--policy']
const forChain = (): string[] => ['--deployment', file('deployment.json')]

describe('sealpool-verify', () => {
  it('receipt: prints the checklist and SIMULATED, and exits 0', async () => {
    const { code, out } = await run(['receipt', folder, ...forChain(), ...withTrust, file('trust.json')])
    expect(code).toBe(0)
    expect(out).toMatch(/✓ The receipt is signed by the key set’s statement key/)
    expect(out).toMatch(/SIMULATED: no vendor/)
    expect(out).toMatch(/OK {2}receipt of job 7 \(released\) \(SIMULATED\)/)
    expect(out).not.toContain('\u001b[')
  })

  it('receipt: is not ok without the contracts that are meant, or for others', async () => {
    const args = ['receipt', folder, ...withTrust, file('trust.json')]
    const { code, out } = await run(args)
    expect(code).toBe(2)
    expect(out).toMatch(/expected chain and registry[^\n]*\n[^\n]*were not given/)
    await writeFile(file('elsewhere.json'), JSON.stringify({ chainId: 1, nodeRegistry: deployment.registry }))
    expect((await run([...args, '--deployment', file('elsewhere.json')])).code).toBe(1)
    expect((await run([...args, '--deployment', file('collateral.json')])).code).toBe(2)
  })

  it('receipt: refuses the simulator without a policy that allows it', async () => {
    const { code, out } = await run(['receipt', folder])
    expect(code).toBe(1)
    expect(out).toContain('NOT OK')
  })

  it('receipt: paints for a terminal, and speaks JSON for programs', async () => {
    expect((await run(['receipt', folder], true)).out).toContain('\u001b[')
    const { out, code } = await run([
      'receipt',
      folder,
      ...forChain(),
      ...withTrust,
      file('trust.json'),
      '--json',
    ])
    expect(JSON.parse(out)).toMatchObject({ ok: true, simulated: true })
    expect(code).toBe(0)
  })

  it('receipt: a changed file is 1, a missing one 2', async () => {
    const bytes = bundleFiles()['plan.json'] ?? new Uint8Array()
    const args = ['receipt', folder, ...forChain(), ...withTrust, file('trust.json')]
    await writeFile(
      file('plan.json'),
      bytes.map((octet, i) => (i === 5 ? octet ^ 1 : octet)),
    )
    expect((await run(args)).code).toBe(1)
    await writeFile(file('plan.json'), '{ "steps": [] }')
    expect((await run(args)).code).toBe(1)
    await rm(file('plan.json'))
    expect((await run(args)).code).toBe(2)
    await writeFile(file('plan.json'), bytes)
    expect((await run(args)).code).toBe(0)
  })

  it('receipt: --at decides whether the collateral is current', async () => {
    const args = ['receipt', folder, ...forChain(), ...withTrust, file('trust.json'), '--at']
    expect((await run([...args, '2026-12-01T00:00:00Z'])).code).toBe(0)
    expect((await run([...args, '2027-02-01T00:00:00Z'])).code).toBe(1)
    expect((await run([...args, 'tomorrow'])).code).toBe(2)
  })

  it('evidence: ok, not fresh enough, unreadable', async () => {
    const args = ['evidence', file('evidence.json'), ...withTrust, file('trust.json')]
    expect((await run(args)).code).toBe(0)
    expect((await run([...args, '--nonce', `0x${'11'.repeat(32)}`])).code).toBe(1)
    expect((await run([...args, '--nonce', '1'])).code).toBe(2)
    expect((await run(['evidence', file('trust.json')])).code).toBe(2)
  })

  it('quote: verifies, appraises with a policy, and cannot tell without files', async () => {
    const args = ['quote', file('quote.bin'), '--collateral', file('collateral.json')]
    const refused = await run(args)
    expect([refused.code, refused.out.includes('neither a vendor’s pinned root')]).toEqual([1, true])
    const allowed = await run([...args, ...withTrust, file('trust.json')])
    expect([allowed.code, allowed.out.includes('Policy: allowed')]).toEqual([0, true])
    expect((await run(['quote', file('quote.bin')])).code).toBe(2)
    expect((await run(['quote', file('none'), '--collateral', file('collateral.json')])).code).toBe(2)
    expect((await run(['quote', file('trust.json'), '--collateral', file('collateral.json')])).code).toBe(2)
    expect((await run(['quote', file('quote.bin'), '--collateral', file('trust.json')])).code).toBe(2)
  })

  it('explains itself on wrong arguments', async () => {
    for (const args of [
      [],
      ['other', 'x'],
      ['receipt'],
      ['receipt', 'a', 'b'],
      ['receipt', folder, '--what'],
    ]) {
      const { code, err } = await run(args)
      expect([code, /^(Usage:|Try: )/m.test(err)]).toEqual([2, true])
    }
    expect((await run(['receipt', file('none')])).code).toBe(2)
    expect((await run(['receipt', folder, ...withTrust, file('collateral.json')])).code).toBe(2)
  })

  it('keeps control characters of untrusted text away from the terminal', async () => {
    const receipt = JSON.parse(new TextDecoder().decode(bundleFiles()['receipt.json']))
    receipt.statement.type = 'sealpool/receipt'
    receipt.statement.body.job.id = '7\u001b[2J'
    const { canonicalBytes } = await import('@sealpool/crypto')
    await writeFile(file('receipt.json'), canonicalBytes(receipt))
    const { out } = await run(['receipt', folder, ...forChain(), ...withTrust, file('trust.json')])
    await writeFile(file('receipt.json'), bundleFiles()['receipt.json'] ?? '')
    expect(out).toContain('receipt of job 7')
    expect(out).not.toContain('\u001b')
  })

  describe('lets no stranger write to the terminal', () => {
    // Nothing but line ends: no escape of either form (C0, C1), nothing that turns the direction of text.
    const control = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u
    const clear = '\u001b[2J\u009b8m\u202e\r\nOK  TDX quote'

    it('through the name of a root in the policy’s reasons', async () => {
      // Of equal length, so that the certificates can still be read.
      const name = '\u001b[2J\u001b[H\nPolicy: allowed\n\nOK  TDX quote'.padEnd(simulatorRootName.length)
      const forged = Buffer.from(quote)
        .toString('latin1')
        .replace(/(-----BEGIN CERTIFICATE-----)([^-]*)(-----END)/g, (_, begin, body, end) => {
          const der = Buffer.from(body, 'base64').toString('latin1').replaceAll(simulatorRootName, name)
          const lines =
            Buffer.from(der, 'latin1')
              .toString('base64')
              .match(/.{1,64}/g) ?? []
          return `${begin}\n${lines.join('\n')}\n${end}`
        })
      await writeFile(file('evil.bin'), Buffer.from(forged, 'latin1'))
      const policy = { ...trust, roots: [] }
      await writeFile(file('evil-policy.json'), JSON.stringify(policy))
      const args = ['quote', file('evil.bin'), '--collateral', file('collateral.json')]
      const { code, out } = await run([...args, '--policy', file('evil-policy.json')])
      expect(code).toBe(1)
      expect(out).toContain('Policy: allowed')
      expect(out).not.toMatch(control)
      expect(out).not.toMatch(/^(?:Policy: allowed|OK)/m)
    })

    it.each<[string, (name: string) => string[]]>([
      ['a command', () => [clear, file('quote.bin')]],
      ['an option', () => ['quote', file('quote.bin'), `--${clear}`]],
      ['an option’s value', () => ['quote', file('quote.bin'), '--at', clear]],
      ['a path', () => ['quote', file(`none${clear}`), '--collateral', file('collateral.json')]],
      ['a field', (name) => ['quote', file('quote.bin'), '--collateral', name]],
      ['a policy', (name) => ['quote', file('quote.bin'), '--policy', name]],
    ])('through the message about %s', async (_, args) => {
      const strange = {
        ...evidence.collateral,
        [clear]: 1,
        tcbInfo: `${clear}${evidence.collateral.tcbInfo}`,
      }
      await writeFile(file('strange.json'), JSON.stringify(strange))
      for (const json of [[], ['--json']]) {
        const { code, out, err } = await run([...args(file('strange.json')), ...json])
        expect(code).not.toBe(0)
        expect(`${out}${err}`).not.toMatch(control)
        expect(`${out}${err}`).not.toMatch(/^OK/m)
        if (json.length > 0) expect(JSON.parse(out).ok).not.toBe(true)
      }
    })
  })
})

describe('sealpool-verify on other evidence', () => {
  const amd = createAmdSimulator({ random: seededRandom('cli'), at })
  const report = amd.report({ reportData: new Uint8Array(64) })
  const certificates = amd.certificates()
  const hwid = Buffer.from(report.subarray(0x1a0, 0x1e0)).toString('hex')
  const tcb = { bootloader: 10, tee: 0, snp: 23, microcode: 84 }
  const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`
  const roots = { ...trust, roots: [...trust.roots, amd.rootDigest], snp: { minimumTcb: { Genoa: tcb } } }
  const allowing = { ...roots, measurements: [{ name: 'image', measurement: `0x${'51'.repeat(48)}` }] }
  const request = { tee: 'tdx', fmspc: '51aa1a7ed000', ca: 'platform', collateral: evidence.collateral }

  beforeAll(async () => {
    await writeFile(file('report.bin'), report)
    await writeFile(
      file('bad-report.bin'),
      amd.report({ reportData: new Uint8Array(64), defect: 'tampered-body' }),
    )
    await writeFile(file('chain.pem'), formatPemCertificates(certificates))
    await writeFile(file('ark.crl'), amd.crl(at))
    await writeFile(file('snp-policy.json'), JSON.stringify(allowing))
    await writeFile(
      file('bundle.json'),
      JSON.stringify({
        format: 'sealpool/collateral-bundle',
        version: 1,
        intel: [request],
        amd: [
          {
            name: amdName({ line: 'Genoa', hwid, tcb }),
            certificates: certificates.map(hex),
            crl: hex(amd.crl(at)),
          },
        ],
      }),
    )
  })

  it('snp: with certificates or a bundle, with a policy, and what speaks against it', async () => {
    const given = ['--certificates', file('chain.pem'), '--crl', file('ark.crl')]
    const policy = ['--policy', file('snp-policy.json')]
    expect(await run(['snp', file('report.bin'), ...given, ...policy])).toMatchObject({ code: 0 })
    expect(await run(['snp', file('report.bin'), '--bundle', file('bundle.json'), ...policy])).toMatchObject({
      code: 0,
    })
    expect((await run(['snp', file('report.bin'), ...given])).code).toBe(1)
    expect((await run(['snp', file('bad-report.bin'), ...given, ...policy])).code).toBe(1)
    const { code, out } = await run([
      'snp',
      file('report.bin'),
      '--certificates',
      file('chain.pem'),
      ...policy,
      '--json',
    ])
    expect([code, JSON.parse(out).ok]).toEqual([2, false])
    expect((await run(['snp', file('report.bin')])).code).toBe(2)
    expect((await run(['snp', file('quote.bin'), ...given])).code).toBe(2)
  })

  it('quote: takes its collateral from a bundle', async () => {
    const policy = ['--policy', file('trust.json')]
    expect((await run(['quote', file('quote.bin'), '--bundle', file('bundle.json'), ...policy])).code).toBe(0)
  })

  const bundleOf = async (change: object) => {
    const text = JSON.parse(await readFile(file('bundle.json'), 'utf8'))
    await writeFile(file('changed-bundle.json'), JSON.stringify({ ...text, ...change }))
    const args = ['bundle', file('changed-bundle.json'), '--policy', file('snp-policy.json'), '--json']
    const { code, out } = await run(args)
    const { checks, simulated, ok } = JSON.parse(out)
    const bad = checks.flatMap(({ id, result }: Check) => (result === 'pass' ? [] : [`${id} ${result}`]))
    return { code, ok, simulated, bad, count: checks.length }
  }

  it('quote, snp: without a policy, debug is not ok and is named in the last line', async () => {
    const zeros = new Uint8Array(64)
    await writeFile(file('debug.quote'), simulator.quote({ reportData: zeros, mrTd, defect: 'debug' }))
    await writeFile(file('debug.report'), amd.report({ reportData: zeros, defect: 'debug' }))
    const given = {
      quote: ['--collateral', file('collateral.json')],
      snp: ['--certificates', file('chain.pem'), '--crl', file('ark.crl')],
    }
    const failing = async (...args: string[]) => {
      const { checks, appraisal } = JSON.parse((await run([...args, '--json'])).out)
      expect(appraisal).toBe(null)
      return checks.flatMap(({ id, result }: Check) => (result === 'fail' ? [id] : []))
    }
    expect(await failing('quote', file('debug.quote'), ...given.quote)).toEqual(['root-trusted', 'debug'])
    expect(await failing('quote', file('quote.bin'), ...given.quote)).toEqual(['root-trusted'])
    expect(await failing('snp', file('debug.report'), ...given.snp)).toEqual(['root-trusted', 'debug'])
    expect(await failing('snp', file('report.bin'), ...given.snp)).toEqual(['root-trusted'])
    const { code, out } = await run(['quote', file('debug.quote'), ...given.quote])
    expect([code, out]).toEqual([1, expect.stringMatching(/Policy: none was applied[\s\S]*NOT OK.*DEBUG/)])
  })

  it('bundle: AMD entries that do not hold make it not ok', async () => {
    const entry = {
      name: amdName({ line: 'Genoa', hwid, tcb }),
      certificates: certificates.map(hex),
      crl: hex(amd.crl(at)),
    }
    const one = async (change: object) => bundleOf({ intel: [], amd: [{ ...entry, ...change }] })
    expect(await one({})).toMatchObject({ code: 0, ok: true, bad: [], count: 9 })
    const garbage = await one({ name: 'Genoa/garbage', certificates: ['0x00'], crl: '0xff' })
    expect(garbage).toMatchObject({ code: 1, ok: false })
    expect(garbage.bad).toContain('certificates fail')
    expect((await one({ name: amdName({ line: 'Genoa', hwid: '00'.repeat(64), tcb }) })).bad).toEqual([
      'label fail',
    ])
    for (const defect of ['of-another-key', 'revoked-authority', 'stale'] as const) {
      expect([defect, (await one({ crl: hex(amd.crl(at, { defect })) })).code]).toEqual([defect, 1])
    }
    for (const defect of ['forged', 'expired', 'other-line'] as const) {
      const changed = amd.certificates({ defect }).map(hex)
      expect([defect, (await one({ certificates: changed })).code]).toEqual([defect, 1])
    }
    expect((await one({ certificates: certificates.slice(0, 2).map(hex) })).code).toBe(2)
    expect((await run(['bundle', file('changed-bundle.json')])).code).not.toBe(0)
    expect(await bundleOf({ intel: [], amd: [] })).toMatchObject({ code: 1, ok: false })
  })

  it('bundle: entries must be what their labels say, and the simulator is marked', async () => {
    const one = async (change: object) => bundleOf({ intel: [{ ...request, ...change }], amd: [] })
    expect(await one({})).toMatchObject({ code: 0, simulated: true, bad: [] })
    const labels = [{ tee: 'sgx' }, { fmspc: 'deadbeef0000' }, { ca: 'processor' }]
    for (const label of labels) {
      expect([label, await one(label)]).toMatchObject([label, { code: 1, bad: ['label fail'] }])
    }
    const unreadable = await one({ collateral: { ...evidence.collateral, tcbInfo: '{}' } })
    expect(unreadable).toMatchObject({ code: 1, ok: false, bad: ['readable fail'] })
    const { out } = await run(['bundle', file('bundle.json'), '--policy', file('snp-policy.json')])
    expect(out).toContain('SIMULATED')
  })

  it('bundle: tells whether it holds, and until when', async () => {
    const policy = ['--policy', file('snp-policy.json')]
    const { code, out } = await run(['bundle', file('bundle.json'), ...policy])
    expect([code, out]).toEqual([0, expect.stringContaining('TDX 51aa1a7ed000 (platform), until 2026-12-20')])
    expect((await run(['bundle', file('bundle.json')])).code).toBe(1)
    expect((await run(['bundle', file('bundle.json'), ...policy, '--at', '2027-03-01T00:00:00Z'])).code).toBe(
      1,
    )
    expect((await run(['bundle', file('trust.json')])).code).toBe(2)
  })

  it('log: verifies an entry with its witnesses', async () => {
    const secret = (n: number) => new Uint8Array(32).fill(n)
    const entry = Uint8Array.of(1, 2, 3)
    const log = noteKey('log.example', ed25519.getPublicKey(secret(1)))
    const text = formatCheckpoint({ origin: log.name, size: 1, root: leafHash(entry), extensions: [] })
    const signature = signNote(text, log.name, secret(1))
    const question = {
      entry: hex(entry),
      index: 0,
      proof: [],
      checkpoint: formatNote({ text, signatures: [signature] }),
    }
    await writeFile(file('entry.json'), JSON.stringify(question))
    await writeFile(file('log.json'), JSON.stringify({ log: formatNoteKey(log), witnesses: [], quorum: 0 }))
    await writeFile(
      file('strict.json'),
      JSON.stringify({ log: formatNoteKey(log), witnesses: [], quorum: 1 }),
    )
    expect((await run(['log', file('entry.json'), '--trust', file('log.json')])).code).toBe(0)
    expect((await run(['log', file('entry.json'), '--trust', file('strict.json')])).code).toBe(1)
    expect((await run(['log', file('log.json'), '--trust', file('log.json')])).code).toBe(2)
    expect((await run(['log', file('entry.json')])).code).toBe(2)
  })

  it('explains itself on standard output when asked, and on standard error when misused', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, out, err } = await run(args)
      expect([code, err]).toEqual([0, ''])
      expect(out).toMatch(/^Usage:/m)
      for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
      for (const option of [
        'policy',
        'deployment',
        'partner',
        'nonce',
        'collateral',
        'certificates',
        'crl',
        'bundle',
        'trust',
        'at',
        'json',
      ])
        expect(out).toMatch(new RegExp(`^  --${option} `, 'm'))
    }
    const alone = await run([])
    expect([alone.code, alone.out]).toEqual([2, ''])
    expect(alone.err).toMatch(/^Usage:/m)
    const misused = [
      ['quote'],
      ['frobnicate', 'x'],
      ['quote', 'a', 'b'],
      ['quote', 'a', '--what'],
      ['quote', '--help'],
      ['quote', '-h', '--collateral', file('collateral.json')],
      [
        'quote',
        file('quote.bin'),
        '--collateral',
        file('collateral.json'),
        '--nonce',
        `0x${'11'.repeat(32)}`,
      ],
    ]
    for (const args of misused) {
      const { code, out, err } = await run(args)
      expect([args, code, out]).toEqual([args, 2, ''])
      expect(err).toMatch(/\nTry: sealpool-verify --help\n$/)
    }
    expect((await run(['quote', '--help'])).err).toMatch(/^--help is taken alone\./)
  })

  it('tells its version when asked for nothing else', async () => {
    const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
    const { version } = JSON.parse(manifest) as { version: string }
    for (const word of ['--version', 'version'])
      expect(await run([word])).toEqual({ code: 0, out: `sealpool-verify ${version}\n`, err: '' })
    // Elsewhere it may be a stranger's file name, and 0 says that everything holds.
    expect((await run(['quote', '--version'])).code).toBe(2)
  })

  it('takes a file of the name of an option for what it is', async () => {
    const args = ['quote', '--collateral', file('collateral.json'), '--policy', file('trust.json'), '--']
    for (const name of ['-h', '--help', 'help']) expect((await run([...args, name])).code).toBe(2)
  })

  it('takes only times that mean one moment', async () => {
    const args = [
      'quote',
      file('quote.bin'),
      '--collateral',
      file('collateral.json'),
      '--policy',
      file('trust.json'),
      '--at',
    ]
    for (const good of [
      '2026-11-20T12:00:00Z',
      '2026-11-20T13:00:00+01:00',
      '2026-11-21',
      '2026-11-20T12:00Z',
    ]) {
      expect([good, (await run([...args, good])).code]).toEqual([good, 0])
    }
    for (const bad of [
      '2026',
      '2026-11-20T12:00:00',
      'tomorrow',
      '2026-13-01',
      '2026-11-31',
      '2026-02-30T12:00:00Z',
      '1763640000',
      '2026-11-20T25:00:00Z',
    ]) {
      const { code, err } = await run([...args, bad])
      expect([bad, code]).toEqual([bad, 2])
      expect(err).toMatch(/--at must be/)
    }
    for (const far of [
      '1969-12-31',
      '0001-01-01',
      '1970-01-01T00:30:00+01:00',
      '9999-12-31T23:30:00-01:00',
    ]) {
      const { code, err } = await run([...args, far])
      expect([far, code, err]).toEqual([
        far,
        2,
        expect.stringMatching(/^--at must lie between 1970 and 9999/),
      ])
    }
    // Both ends are moments: collateral is not current there, and that is an answer.
    for (const end of ['1970-01-01', '9999-12-31T23:59:59.999Z'])
      expect([end, (await run([...args, end])).code]).toEqual([end, 1])
  })

  it('reads quotes as hexadecimal or base64 text, and nothing else as a quote', async () => {
    const hex = Buffer.from(quote).toString('hex')
    const forms = {
      plain: hex,
      prefixed: `0x${hex}\n`,
      lines: hex.replace(/(.{64})/g, '$1\n').toUpperCase(),
      base64: `${Buffer.from(quote)
        .toString('base64')
        .replace(/(.{76})/g, '$1\n')}\n`,
      'hex behind blank lines': `\r\n\n \t${hex}`,
      'base64 behind a blank line': `\n${Buffer.from(quote).toString('base64')}`,
      'hex behind a byte order mark': `\ufeff${hex}`,
      base64url: Buffer.from(quote).toString('base64url'),
      'base64url, padded': `${Buffer.from(quote).toString('base64url')}${'='.repeat((3 - (quote.length % 3)) % 3)}`,
    }
    expect(forms.base64url).toMatch(/[-_]/)
    const rest = ['--collateral', file('collateral.json'), '--policy', file('trust.json')]
    for (const [name, text] of Object.entries(forms)) {
      await writeFile(file(`${name}.hex`), text)
      expect([name, (await run(['quote', file(`${name}.hex`), ...rest])).code]).toEqual([name, 0])
    }
    for (const [name, text] of Object.entries({
      odd: `${hex}0`,
      words: 'not a quote',
      none: '',
      blank: ' \n',
      'two alphabets': `-_+/${forms.base64url}`,
      'too much padding': `${forms.base64url}===`,
    })) {
      await writeFile(file(`${name}.hex`), text)
      const { code, err } = await run(['quote', file(`${name}.hex`), ...rest])
      expect([name, code]).toEqual([name, 2])
      expect(err).toMatch(/Cannot tell/)
    }
  })

  it('tells programs that it cannot tell', async () => {
    const { code, out } = await run([
      'quote',
      file('nothing'),
      '--collateral',
      file('collateral.json'),
      '--json',
    ])
    expect(code).toBe(2)
    expect(JSON.parse(out)).toEqual({ ok: null, error: expect.stringMatching(/cannot be read \(ENOENT\)/) })
    for (const args of [
      ['quote'],
      ['quote', file('quote.bin')],
      ['evidence', file('x'), '--nonce', '0x12'],
    ]) {
      const misused = await run([...args, '--json'])
      expect([misused.code, JSON.parse(misused.out)]).toEqual([2, { ok: null, error: expect.any(String) }])
    }
  })

  it('reads streams to their end', async () => {
    const stream = async function* () {
      yield Uint8Array.of(1, 2)
      yield 'ab'
    }
    expect(await readInput(stream())).toEqual(Uint8Array.of(1, 2, 97, 98))
    const broken = async function* () {
      yield Uint8Array.of(1)
      throw new Error('EIO')
    }
    await expect(readInput(broken())).rejects.toThrow(UnreadableError)
    const endless = async function* () {
      const part = new Uint8Array(1 << 26)
      for (;;) yield part
    }
    await expect(readInput(endless())).rejects.toThrow(/larger than/)
  })
})
