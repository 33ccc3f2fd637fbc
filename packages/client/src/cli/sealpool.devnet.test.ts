import { spawn } from 'node:child_process'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { getContributions } from '@sealpool/contracts'
import { digestToHex } from '@sealpool/crypto'
import { build } from 'esbuild'
import { getTransactionCount } from 'viem/actions'
import { afterAll, describe, expect, test } from 'vitest'
import { cliWorld } from '../testing/cli-world.js'
import { policyWith, trust } from '../testing/simulated-pool.js'

/* The command as a stranger uses it. */

const setUp = await cliWorld()
const { pool: world, served, folder, config, at, keyOf, sealpool, asJson, contribution } = setUp
afterAll(() => setUp.close())

describe('sealpool', () => {
  test('says READY in words, and lists every check in JSON', async () => {
    const { code, out } = await sealpool(['ready', '--config', config])
    expect(code).toBe(0)
    expect(out).toContain('SIMULATED')
    expect(out).toMatch(/^READY \(\d+ of \d+ checks passed/m)
    const { json } = await asJson(undefined, 'ready')
    expect(json.ok).toBe(true)
    expect(json.checks.length).toBeGreaterThan(20)
    expect(json.summary.length).toBe(6)
  })

  test('says no with exit code 1, and why', async () => {
    await writeFile(at('other-policy.json'), JSON.stringify(policyWith(trust, 'other')))
    const { code, out } = await sealpool(['ready', '--config', config, '--policy', at('other-policy.json')])
    expect(code).toBe(1)
    expect(out).toMatch(/^NO {2}The rules that you read are the pool’s rules/m)
    expect(out).toContain('NOT READY: nothing may be sent')
    const sending = await sealpool([
      ...contribution(),
      '--config',
      config,
      '--policy',
      at('other-policy.json'),
      '--key-file',
      at('key-2'),
    ])
    expect(sending.code).toBe(1)
    expect(sending.err).toContain('NOT_READY')
  })

  test('goes through the whole life: contribute, ask, grant, pay, take back', async () => {
    const made = await asJson(2, ...contribution(), '--resume', 'november')
    expect(made).toMatchObject({ code: 0, json: { id: '1', resumed: false, simulated: true } })
    const again = await asJson(2, ...contribution(), '--resume', 'november')
    expect(again.json).toMatchObject({ id: '1', resumed: true, transaction: made.json.transaction })
    await world.accept(1n)
    const status = await sealpool(['status', '1', '--config', config])
    expect(status.out).toMatch(/on chain +Accepted, score 100 %/)

    const publicKey = (await sealpool(['result-key', at('result.key')])).out.trim()
    expect((await stat(at('result.key'))).mode & 0o777).toBe(0o600)
    expect((await sealpool(['result-key', at('result.key')])).code).toBe(2)
    const asked = await asJson(
      3,
      'query',
      at('mean.sql'),
      '--title',
      'Mean',
      '--purpose',
      'research',
      '--epsilon',
      '0.5',
      '--result-key',
      publicKey,
      '--deadline',
      `${(await world.time()) + 90_000n}`,
    )
    expect(asked).toMatchObject({ code: 0, json: { jobId: '1', explanation: { steps: ['noise'] } } })
    await writeFile(at('manifest.json'), JSON.stringify(asked.json.manifest))
    expect((await asJson(undefined, 'plan', at('manifest.json'))).json.ok).toBe(true)

    const granted = await asJson(
      2,
      'grant',
      '1',
      at('proposal.json'),
      '--price',
      '5',
      '--closes',
      `${(await world.time()) + 80_000n}`,
      '--opens',
      '1',
    )
    expect(granted.code).toBe(0)
    await world.devnet.advanceTime(2)
    expect((await asJson(2, 'vote', at('proposal.json'), 'for')).code).toBe(0)
    await world.devnet.advanceTime(61)
    expect((await asJson(undefined, 'proposal', at('proposal.json'))).json.state).toBe('Succeeded')
    expect((await asJson(2, 'carry-out', at('proposal.json'))).code).toBe(0)
    await world.devnet.advanceTime(2)
    expect((await asJson(2, 'carry-out', at('proposal.json'))).code).toBe(0)
    expect((await asJson(3, 'fund', '1')).code).toBe(0)
    const job = await sealpool(['job', '1', '--config', config])
    expect(job.out).toMatch(/on chain +Funded/)
    expect(job.out).toContain('has granted it')
    expect((await asJson(2, 'stop', '1')).code).toBe(0)
    expect((await asJson(3, 'cancel', '1')).code).toBe(0)
    expect((await asJson(undefined, 'job', '1', '--wait', '5')).json.chain.state).toBe('Cancelled')
    const uses = await sealpool([
      'who-used-my-data',
      '--owner',
      world.accountOf(2).address,
      '--config',
      config,
    ])
    expect(uses.out).toContain('No job over this pool has released a result.')
    const approved = `sha256:${'12'.repeat(32)}`
    expect(await asJson(2, 'consent', approved)).toMatchObject({ code: 0, json: { digest: approved } })
    expect((await asJson(2, 'consent', approved)).json.error.message).toContain('AlreadyConsented')
    expect((await asJson(2, 'withdraw-consent', approved)).code).toBe(0)
    expect((await asJson(2, 'consent', approved)).code).toBe(0)
    expect((await asJson(2, 'consent', '12')).code).toBe(2)
    expect((await asJson(2, 'withdraw', '1')).code).toBe(0)
    expect((await asJson(undefined, 'status', '1')).json.chain.state).toBe('Withdrawn')
  })

  test('runs checks of one’s own first, and sends nothing that they find unfit', async () => {
    const found = (result: string) =>
      `export default [() => ({ id: 'own', title: 'A check', result: '${result}', detail: 'row 2, field wage\\u001b[2J' })]`
    await writeFile(at('bad.mjs'), found('fail'))
    await writeFile(at('good.mjs'), found('warn'))
    await writeFile(at('none.mjs'), 'export default []')
    const before = await getTransactionCount(world.walletOf(2), { address: world.accountOf(2).address })
    const bad = await sealpool([
      ...contribution(),
      '--preflight',
      at('bad.mjs'),
      '--config',
      config,
      '--key-file',
      at('key-2'),
    ])
    expect(bad.code).toBe(1)
    expect(bad.out).toContain('NO  A check\n      row 2, field wage')
    expect(bad.out).toContain('NOT FIT: nothing was sent')
    expect(bad.out).not.toContain('\u001b')
    const looked = await asJson(2, ...contribution(), '--preflight', at('good.mjs'), '--check-only')
    expect(looked).toMatchObject({ code: 0, json: { fit: true, sent: false, findings: [{ id: 'own' }] } })
    expect(await getTransactionCount(world.walletOf(2), { address: world.accountOf(2).address })).toBe(before)
    for (const wrong of [
      ['--check-only'],
      ['--preflight', at('none.mjs')],
      ['--preflight', at('not-there.mjs')],
    ])
      expect((await asJson(2, ...contribution(), ...wrong)).code).toBe(2)
    const sent = await asJson(2, ...contribution(), '--preflight', at('good.mjs'))
    expect(sent).toMatchObject({ code: 0, json: { simulated: true } })
  })

  test('makes a consent record, contributes under it, and agrees to another one', async () => {
    const make = (name: string, edition: string) =>
      asJson(
        undefined,
        'consent-record',
        at('consent.txt'),
        at(name),
        '--purposes',
        'odrl:aggregate,DUO:0000042',
        '--language',
        'en',
        '--edition',
        edition,
      )
    const first = await make('consent-1.json', '2026')
    const second = await make('consent-2.json', '2027')
    expect(first.json.digest).toMatch(/^sha256:/)
    expect(second.json.digest).not.toBe(first.json.digest)
    expect((await make('consent-1.json', '2026')).code).toBe(2)
    const [name, file, ...options] = contribution().slice(0, -2)
    const made = await asJson(2, name ?? '', file ?? '', ...options, '--consent', at('consent-1.json'))
    expect(made.code).toBe(0)
    const again = await asJson(2, 'consent-again', made.json.id, '--consent', at('consent-2.json'))
    expect(again).toMatchObject({ code: 0, json: { previous: made.json.id } })
    const list = await getContributions(world.walletOf(0), {
      deployment: world.deployment,
      pool: world.contracts.pool,
    })
    expect(list.slice(-2).map(({ consentDigest }) => consentDigest)).toEqual(
      [first, second].map(({ json }) => digestToHex(json.digest)),
    )
    await writeFile(
      at('other-consent.json'),
      JSON.stringify({ ...first.json.record, policy: first.json.record.text }),
    )
    expect(
      (await asJson(2, 'consent-again', again.json.id, '--consent', at('other-consent.json'))).code,
    ).toBe(2)
  })

  test('contributes a newer version in the place of an older one', async () => {
    const made = await asJson(2, ...contribution())
    await writeFile(at('wages-2.csv'), 'wage;union\r\n13.50;yes\r\n')
    const [name = '', , ...options] = contribution()
    const again = [name, at('wages-2.csv'), ...options, '--supersedes', made.json.id, '--resume', 'version-2']
    const newer = await asJson(2, ...again)
    expect(newer).toMatchObject({ code: 0, json: { supersedes: made.json.id, resumed: false } })
    expect((await asJson(2, ...again)).json).toMatchObject({ id: newer.json.id, resumed: true })
    expect((await sealpool(['status', made.json.id, '--config', config])).out).toMatch(/on chain +Superseded/)
    const { code, err } = await sealpool([
      ...[...contribution(), '--supersedes', '99999', '--config', config, '--key-file', at('key-2')],
    ])
    expect(code).toBe(3)
    expect(err).toContain('NOT_SUPERSEDABLE')
  })

  test('takes a key from standard input or the environment', async () => {
    for (const io of [{ stdin: `${keyOf(2)}\n` }, { env: { SEALPOOL_KEY: keyOf(2).slice(2) } }]) {
      const key = 'stdin' in io ? ['--key-file', '-'] : []
      const { code, err } = await sealpool(['claim', '--config', config, ...key], io)
      // There is nothing to claim: the account was read and the chain asked.
      expect(code).toBe(3)
      expect(err).toContain('NothingToClaim')
    }
  })

  test('warns of a key that others may read', async () => {
    await writeFile(at('open-key'), keyOf(2))
    await chmod(at('open-key'), 0o644)
    const { err } = await sealpool(['claim', '--config', config, '--key-file', at('open-key')])
    expect(err).toContain('chmod 600')
  })

  test.each<[string, () => string[], RegExp]>([
    ['an unknown command', () => ['contribut'], /no such command; did you mean contribute/],
    ['help on an unknown command', () => ['help', 'contribut'], /no such command; did you mean contribute/],
    ['a key on the command line', () => ['claim', '--key', keyOf(2)], /no option --key/],
    ['a key as an argument', () => ['claim', keyOf(2)], /expected no arguments/],
    ['a key in place of an option', () => ['claim', `--${keyOf(2)}`], /there is no option/],
    ['no account', () => ['claim', '--config', config], /--key-file/],
    [
      'a key that is none',
      () => ['claim', '--config', config, '--key-file', at('consent.txt')],
      /not 32 bytes/,
    ],
    ['a key out of range', () => ['claim', '--config', config, '--key-file', at('zero')], /not 32 bytes/],
    ['an option without its value', () => ['status', '1', '--config'], /has no value/],
    ['a missing argument', () => ['status', '--config', config], /expected <id>/],
    ['a number that is none', () => ['status', '-1', '--config', config], /./],
    [
      'a number that no contract holds',
      () => [...contribution(), '--nonce', `${2n ** 256n}`, '--config', config, '--key-file', at('key-2')],
      /at --nonce: expected a whole number below 2\^256/,
    ],
    [
      'a moment that no contract holds',
      () => [
        'query',
        at('mean.sql'),
        '--title',
        'x',
        '--purpose',
        'research',
        '--epsilon',
        '1',
        '--result-key',
        'A'.repeat(43),
        '--deadline',
        `${2n ** 64n}`,
        '--config',
        config,
        '--key-file',
        at('key-3'),
      ],
      /at --deadline: expected a whole number below 2\^64/,
    ],
    [
      'a media type that is none',
      () => [
        ...contribution().map((word) => (word === 'text/csv' ? 'text csv' : word)),
        '--config',
        config,
        '--key-file',
        at('key-2'),
      ],
      /at --type: expected a media type/,
    ],
    [
      'contracts that are none',
      () => ['ready', '--config', config, '--deployment', at('policy.json')],
      /at --deployment: parseDeployment/,
    ],
    [
      'rules of trust that are none',
      () => ['verify-receipt', '1', '--config', config, '--trust', at('policy.json')],
      /at --trust: Not an attestation policy/,
    ],
    ['a number of another base', () => ['status', '0x1', '--config', config], /whole number/],
    [
      'a missing option',
      () => ['contribute', 'x', '--config', config, '--key-file', at('key-2')],
      /--type MEDIA-TYPE/,
    ],
    ['a file that is not there', () => ['plan', at('nowhere'), '--config', config], /ENOENT/],
    [
      'a manifest that is no JSON',
      () => ['plan', at('consent.txt'), '--config', config],
      /not a JSON object/,
    ],
    ['a settings file that is not there', () => ['ready', '--config', at('nowhere')], /ENOENT/],
    [
      'settings with a secret',
      () => ['ready', '--config', at('secret.json')],
      /keys and credentials never stand here/,
    ],
    ['settings of another type', () => ['ready', '--config', at('typed.json')], /must be text/],
    ['no settings at all', () => ['ready'], /--deployment/],
    ['a pool that is no address', () => ['ready', '--config', config, '--pool', '0x12'], /40 hexadecimal/],
    [
      'a store that nobody knows',
      () => ['ready', '--config', config, '--store', 'ftp://x'],
      /expected a folder/,
    ],
    [
      'S3 without credentials',
      () => ['ready', '--config', config, '--store', 's3+https://s3.example/bucket'],
      /AWS_ACCESS_KEY_ID/,
    ],
    [
      'S3 without a bucket',
      () => ['ready', '--config', config, '--store', 's3+https://s3.example'],
      /bucket/,
    ],
    [
      'a vote that is none',
      () => ['vote', at('proposal.json'), 'yes', '--config', config, '--key-file', at('key-2')],
      /for, against or abstain/,
    ],
    ['a proposal that is none', () => ['proposal', at('policy.json'), '--config', config], /not a proposal/],
    [
      'a budget that is none',
      () => [
        'query',
        at('mean.sql'),
        '--title',
        'T',
        '--purpose',
        'p',
        '--epsilon',
        'much',
        '--result-key',
        'x',
        '--config',
        config,
        '--key-file',
        at('key-3'),
      ],
      /number such as/,
    ],
    [
      'a result key that is none',
      () => [
        'query',
        at('mean.sql'),
        '--title',
        'T',
        '--purpose',
        'p',
        '--epsilon',
        '1',
        '--result-key',
        'x',
        '--config',
        config,
        '--key-file',
        at('key-3'),
      ],
      /base64url/,
    ],
    [
      'a consent digest that is none',
      () => [...contribution().slice(0, -1), 'sha256:12', '--config', config, '--key-file', at('key-2')],
      /64 lower-case/,
    ],
    [
      'an empty export',
      () => [
        'contribute',
        at('empty'),
        ...contribution().slice(2),
        '--config',
        config,
        '--key-file',
        at('key-2'),
      ],
      /empty/,
    ],
    [
      'too many runs',
      () => [
        'grant',
        '1',
        at('p.json'),
        '--price',
        '1',
        '--closes',
        '9',
        '--runs',
        '4294967296',
        '--config',
        config,
        '--key-file',
        at('key-2'),
      ],
      /4,294,967,295/,
    ],
  ])('does not understand %s, and says what to do', async (_name, args, why) => {
    await writeFile(at('zero'), `0x${'00'.repeat(32)}`, { mode: 0o600 })
    await writeFile(at('empty'), '')
    await writeFile(at('secret.json'), JSON.stringify({ key: 'x' }))
    await writeFile(at('typed.json'), JSON.stringify({ deployment: 5 }))
    const { code, err, out } = await sealpool(args())
    expect(err).toMatch(why)
    expect(code).toBe(2)
    expect(err).toMatch(/Try: sealpool .*--help/)
    expect(out).toBe('')
  })

  test('opens every kind of store that its help names', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' }
    for (const store of [
      at('blobs'),
      'https://blobs.example/x',
      's3+https://s3.example/bucket/pool?region=eu-central-1',
      'ipfs+http://127.0.0.1:5001',
    ]) {
      expect((await sealpool(['ready', '--config', config, '--store', store], { env })).code).toBe(0)
    }
  })

  test('tells in JSON also what is wrong before a command', async () => {
    const { code, out, err } = await sealpool(['--json'])
    expect({ code, err }).toEqual({ code: 2, err: '' })
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'OPTION_INVALID', place: 'command' } })
  })

  test('fails with 3 when the world does, and in JSON with the same code', async () => {
    const { code, err } = await sealpool(['ready', '--config', config, '--rpc', 'http://127.0.0.1:9'])
    expect(code).toBe(3)
    expect(err).toContain('CHAIN_READ_FAILED')
    const { code: same, json } = await asJson(undefined, 'status', '99')
    expect(same).toBe(3)
    expect(json.error).toMatchObject({ code: 'NOT_FOUND' })
    const usageError = await asJson(undefined, 'status', 'x')
    expect(usageError.code).toBe(2)
    expect(usageError.json.error).toMatchObject({ code: 'OPTION_INVALID', place: '<id>' })
  })

  test('keeps control characters of foreign text from the terminal', async () => {
    served.routes['/v1/contributions/1'] = () => ({
      simulated: true,
      id: '1',
      state: 'st\u001b]0;owned\u0007ored',
      reason: 'POLICY_CHANGED',
      reasonText: 'seal it \u001bagain',
    })
    const { out } = await sealpool(['status', '1', '--config', config])
    expect(out).toContain('st�]0;owned�ored: POLICY_CHANGED')
    expect(out).toContain('  seal it �again')
    expect(out).not.toContain('\u001b')
  })

  test('is a program: exit codes, standard input and output of a process of its own', async () => {
    const program = at('sealpool.mjs')
    await build({
      entryPoints: [fileURLToPath(new URL('./sealpool.ts', import.meta.url))],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@sealpool/source'],
      logLevel: 'error',
    })
    const run = (args: readonly string[], stdin = '') =>
      new Promise<{ code: number | null; out: string }>((resolve) => {
        const child = spawn(process.execPath, [program, ...args], {
          env: {},
          cwd: folder,
          stdio: ['pipe', 'pipe', 'pipe'],
        })
        let out = ''
        child.stdout.on('data', (part) => {
          out += part
        })
        child.on('exit', (code) => resolve({ code, out }))
        child.stdin.end(stdin)
      })
    // The settings file of the folder is found by itself.
    expect(JSON.parse((await run(['ready', '--json'])).out).ok).toBe(true)
    expect((await run(['nonsense'])).code).toBe(2)
    const sent = await run([...contribution(), '--key-file', '-', '--json'], keyOf(2))
    expect(sent.code).toBe(0)
    expect(JSON.parse(sent.out)).toMatchObject({ resumed: false })
    expect(await readFile(at('sealpool.json'), 'utf8')).not.toContain(keyOf(2).slice(2))
  })
})
