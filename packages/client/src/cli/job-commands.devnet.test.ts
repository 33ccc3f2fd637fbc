import { readFile, stat, writeFile } from 'node:fs/promises'
import {
  bytesToDigest,
  canonicalBytes,
  decodeBase64Url,
  digestOf,
  encodeBase64Url,
  encodeHex,
  merkleRoot,
  sha256Digest,
  signStatement,
} from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cliWorld } from '../testing/cli-world.js'
import { result } from '../testing/receipt-bundle.js'
import { releaseOnChain } from '../testing/release-on-chain.js'
import { nonce } from '../testing/simulated-pool.js'

/* A job from question to verified answer with the command alone; the node's part is played with the node's real keys. */

const setUp = await cliWorld()
const { pool: world, served, config, at, sealpool, asJson } = setUp
afterAll(() => setUp.close())

let publicKey = ''
let jobId = ''
/** The contribution that the job has read, as its receipt has it. */
const input = { contribution: '1', blob: digestOf('blob 1'), commitment: digestOf('commitment 1') }
const verify = (...more: string[]) => ['verify-receipt', jobId, '--config', config, ...more]
const open = (...more: string[]) => [
  'result',
  jobId,
  '--config',
  config,
  '--result-key-file',
  at('result.key'),
  ...more,
]

/** Asks by the command, with the options that every request needs. */
async function ask(...args: string[]) {
  const deadline = `${(await world.time()) + 90_000n}`
  const request = ['--title', 'Mean', '--purpose', 'research', '--epsilon', '0.5', '--result-key', publicKey]
  return asJson(3, ...args, ...request, '--deadline', deadline)
}

beforeAll(async () => {
  expect((await asJson(2, ...setUp.contribution())).json.id).toBe('1')
  await world.accept(1n)
  publicKey = (await sealpool(['result-key', at('result.key')])).out.trim()
  const asked = await ask('query', at('mean.sql'))
  jobId = asked.json.jobId
  const closes = `${(await world.time()) + 80_000n}`
  const terms = ['--price', '5', '--closes', closes, '--opens', '1']
  await asJson(2, 'grant', jobId, at('proposal.json'), ...terms)
  await world.devnet.advanceTime(2)
  await asJson(2, 'vote', at('proposal.json'), 'for')
  await world.devnet.advanceTime(61)
  for (let step = 0; step < 2; step++) {
    expect((await asJson(2, 'carry-out', at('proposal.json'))).code).toBe(0)
    await world.devnet.advanceTime(2)
  }
  expect((await asJson(3, 'fund', jobId)).code).toBe(0)
  served.routes[`/v1/jobs/${jobId}/run`] = () => ({
    simulated: true,
    id: jobId,
    state: 'running',
    reason: null,
  })
  const { bundle, sealed } = await releaseOnChain(world, {
    jobId: BigInt(jobId),
    consumer: world.accountOf(3).address,
    manifest: asked.json.manifest,
    policy: setUp.policy,
    evidence: setUp.evidence(nonce),
    verdicts: [digestOf('verdict 1')],
    inputs: bytesToDigest(merkleRoot([canonicalBytes({ ...input })])),
    issuedAt: new Date(),
    resultPublicKey: decodeBase64Url(publicKey),
  })
  served.routes[`/v1/jobs/${jobId}/result`] = () => ({ simulated: true, sealed: encodeBase64Url(sealed) })
  served.routes[`/v1/jobs/${jobId}/receipt`] = () => bundle
})

describe('sealpool program', () => {
  const args = (...more: string[]) => [
    'program',
    at('median.js'),
    at('parameters.json'),
    '--config',
    config,
    ...more,
  ]

  test('stores it where the node looks, and begins its parameters in a new file', async () => {
    const code = 'globalThis.sealpool = { main: () => ({ value: 1 }) }'
    await writeFile(at('median.js'), code)
    const workers = { name: 'workers', rowsPerContributor: 1, columns: [{ name: 'wage', use: ['measure'] }] }
    await writeFile(at('tables.json'), JSON.stringify({ ...setUp.policy, tables: [workers] }))
    const { code: exit, out } = await sealpool(
      args('--runtime', 'quickjs', '--policy', at('tables.json'), '--json'),
    )
    expect(exit).toBe(0)
    const digest = sha256Digest(new TextEncoder().encode(code))
    expect(JSON.parse(out)).toMatchObject({ runtime: 'quickjs', entry: 'main', code: digest })
    expect(await readFile(at(`blobs/${digest.slice(7, 9)}/${digest.slice(7)}`), 'utf8')).toBe(code)
    const parameters = JSON.parse(await readFile(at('parameters.json'), 'utf8'))
    expect(parameters).toMatchObject({ code: digest, tables: [{ table: 'workers' }] })
    const again = await sealpool(args('--runtime', 'quickjs'))
    expect({ code: again.code, err: again.err }).toMatchObject({
      code: 2,
      err: expect.stringContaining('exists'),
    })
  })

  test('knows its runtimes', async () => {
    const { code, err } = await sealpool(args('--runtime', 'lisp'))
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('--runtime') })
  })
})

describe('sealpool, for a job that was run', () => {
  test('grant proposes nothing when the proposal could not be kept', async () => {
    const before = await world.time()
    const terms = ['--price', '5', '--closes', `${before + 80_000n}`]
    const { code, json } = await asJson(2, 'grant', jobId, at('proposal.json'), ...terms)
    expect({ code, json }).toMatchObject({ code: 2, json: { error: { place: '<proposal-file>' } } })
    expect(await world.time()).toBe(before)
  })

  test('run asks the node to look at it, and says what the node says', async () => {
    const { code, out } = await sealpool(['run', jobId, '--config', config])
    expect({ code, out }).toEqual({ code: 0, out: 'node says  running\n' })
    expect(served.seen.at(-1)).toMatchObject({ method: 'POST', path: `/v1/jobs/${jobId}/run` })
  })

  test('job --wait sees that it was released', async () => {
    const { code, json } = await asJson(undefined, 'job', jobId, '--wait', '5')
    expect(code).toBe(0)
    expect(json.chain.state).toBe('Released')
  })

  test('result opens the answer, prints it or writes it into a new file of one’s own', async () => {
    const printed = await sealpool(open())
    expect(printed.code).toBe(0)
    expect(JSON.parse(printed.out)).toEqual({ rows: [[9.02]] })
    const written = await sealpool(open('--out', at('result.json'), '--json'))
    expect(JSON.parse(written.out)).toEqual({ digest: sha256Digest(result), bytes: result.length })
    expect(new Uint8Array(await readFile(at('result.json')))).toEqual(result)
    expect((await stat(at('result.json'))).mode & 0o777).toBe(0o600)
    const again = await sealpool(open('--out', at('result.json')))
    expect(again.code).toBe(2)
    expect(again.err).toContain('the file exists')
    expect(new Uint8Array(await readFile(at('result.json')))).toEqual(result)
    expect((await sealpool(open('--out', at('nowhere/result.json')))).err).toContain('ENOENT')
  })

  test('result with another key opens nothing', async () => {
    await sealpool(['result-key', at('other.key')])
    const args = ['result', jobId, '--config', config, '--result-key-file', at('other.key')]
    const { code, out, err } = await sealpool([...args, '--out', at('closed.json')])
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toContain('not sealed to any')
    // Nothing half-written stays.
    await expect(stat(at('closed.json'))).rejects.toThrow('ENOENT')
  })

  test('verify-receipt follows the whole chain, in words and in JSON', async () => {
    await writeFile(at('answer.json'), result)
    const { code, out } = await sealpool(verify('--result', at('answer.json')))
    expect(out).toMatch(/^VERIFIED \(SIMULATED\)$/m)
    expect(out).not.toMatch(/^(NO|\?)/m)
    expect(code).toBe(0)
    const { json } = await asJson(undefined, 'verify-receipt', jobId, '--result', at('answer.json'))
    expect(json).toMatchObject({ ok: true, state: 'verified', simulated: true, homesBlock: null })
  })

  test('verify-receipt says that it is not final while too few blocks are on top', async () => {
    const { code, out } = await sealpool(verify('--result', at('answer.json'), '--finality', '1'))
    expect(code).toBe(1)
    expect(out).toMatch(/^NOT FINAL YET.* \(SIMULATED\)$/m)
    for (const finality of ['-1', '1.5', 'latest', '']) {
      expect((await sealpool(verify(`--finality=${finality}`))).code).toBe(2)
    }
  })

  test('verify-receipt is not satisfied without the result, with another one, or under other rules', async () => {
    const bare = await sealpool(verify())
    expect(bare.code).toBe(1)
    expect(bare.out).toContain('NOT VERIFIED')
    await writeFile(at('altered.json'), canonicalBytes({ rows: [[9.03]] }))
    expect((await sealpool(verify('--result', at('altered.json')))).code).toBe(1)
    const rules = { ...(setUp.policy['attestation'] as object), allowSimulator: false }
    await writeFile(at('strict.json'), JSON.stringify(rules))
    const strict = await sealpool(verify('--result', at('answer.json'), '--trust', at('strict.json')))
    expect(strict.code).toBe(1)
    expect(strict.out).toMatch(/^NO /m)
  })

  test('who-used-my-data names the job and the contribution', async () => {
    const { json } = await asJson(undefined, 'who-used-my-data', '--owner', world.accountOf(2).address)
    expect(json).toMatchObject([{ jobId, used: 'yes', contributions: ['1'], title: 'Mean' }])
  })
})

test('sealpool compute plans a computation and puts it on the board', async () => {
  await writeFile(at('parameters.json'), '{"target":"wage","features":["education"]}')
  const asked = await ask('compute', at('parameters.json'), '--computation', 'linear-regression')
  expect(asked.code).toBe(0)
  expect(asked.json.manifest).toMatchObject({
    kind: 'compute',
    compute: { parameters: { target: 'wage', features: ['education'] } },
  })
  expect((await asJson(undefined, 'job', asked.json.jobId)).json.chain.state).toBe('Proposed')
})

describe('sealpool lineage', () => {
  const pool = world.contracts.pool.toLowerCase() as `0x${string}`
  const refinement = (change: object = {}) =>
    signStatement({
      statement: {
        type: 'sealpool/refinement',
        version: 1,
        body: {
          pool,
          policy: digestOf(setUp.policy),
          refiner: digestOf('refiner'),
          schema: digestOf('schema'),
          content: digestOf('content'),
          contributions: { count: 1, root: encodeHex(merkleRoot([canonicalBytes({ contribution: '1' })])) },
          ...change,
        },
      },
      context: {
        chainId: world.deployment.chainId,
        registry: world.deployment.nodeRegistry.toLowerCase() as `0x${string}`,
        pool,
        subject: `0x${'0'.repeat(64)}`,
        nonce: '1',
        facts: [],
      },
      privateKey: world.node.keys.statementKey,
    })
  const tell = (change: object = {}, statement: object | null = refinement()) => {
    served.routes[`/v1/jobs/${jobId}/lineage`] = () => ({
      simulated: true,
      job: jobId,
      refinements: [
        {
          ...{ pool, statement, block: '2' },
          contributions: [
            { ...input, verdict: digestOf('verdict 1'), block: '1', judgedBlock: '2', ...change },
          ],
        },
      ],
      next: null,
    })
  }
  const unknown = (code: string) => () =>
    Response.json({ simulated: true, error: { code, message: 'no other node' } }, { status: 404 })
  const lineage = (...more: string[]) => ['lineage', jobId, '--config', config, ...more]
  beforeAll(() => {
    served.routes[`/v1/jobs/${jobId}/work`] = unknown('WORK_UNKNOWN')
    served.routes[`/v1/jobs/${jobId}/shares`] = unknown('SHARES_UNKNOWN')
  })

  test('walks back to the contribution, and writes the chain into new files', async () => {
    tell()
    const path = at('whole.json')
    await writeFile(path, result)
    const { code, json } = await asJson(3, 'lineage', jobId, '--result', path, '--prov', at('prov.jsonld'))
    expect({ code, ...json }).toMatchObject({
      code: 0,
      complete: true,
      gaps: [],
      simulated: true,
      result: sha256Digest(result),
      signers: [world.node.keySet.statement.address],
      inputs: [{ pool, ...input }],
    })
    expect(await readFile(at('prov.jsonld'), 'utf8')).toContain(digestOf('commitment 1').slice(7))
    const names = ['--openlineage', at('events.json'), '--records', at('records.json')]
    const shown = await sealpool(lineage(...names))
    expect(shown.out).toContain('COMPLETE: every link was there and held (SIMULATED)')
    expect(shown.code).toBe(0)
    expect(JSON.parse(await readFile(at('records.json'), 'utf8'))).toMatchObject({
      records: { contributions: { [pool]: [input] } },
    })
    expect((await stat(at('events.json'))).mode & 0o777).toBe(0o600)
    expect((await sealpool(lineage('--records', at('records.json')))).code).toBe(2)
  })

  test.each<[string, () => void, string]>([
    ['another commitment', () => tell({ commitment: digestOf('x') }), 'INPUTS_OTHER'],
    ['another verdict', () => tell({ verdict: digestOf('x') }), 'VERDICTS_OTHER'],
    [
      'a refinement under another policy',
      () => tell({}, refinement({ policy: digestOf('x') })),
      'REFINEMENT_OTHER',
    ],
    ['no word on its rows', () => tell({}, null), 'REFINEMENT_MISSING'],
  ])('says where the chain has a gap: %s', async (_, change, gap) => {
    change()
    const prov = at(`gap-${gap}.jsonld`)
    const { code, out } = await sealpool(lineage('--prov', prov))
    expect(out).toContain(`${gap} at `)
    expect(out).toContain('NOT COMPLETE')
    expect(code).toBe(1)
    await expect(stat(prov)).rejects.toThrow('ENOENT')
  })

  test('says no where the result is another one, and where the receipt does not verify', async () => {
    tell()
    const other = at('other-result.json')
    await writeFile(other, '{"mean":1}')
    const wrong = await asJson(3, 'lineage', jobId, '--result', other)
    expect(wrong).toMatchObject({ code: 1, json: { complete: false, receipt: 'not-verified' } })
    const strict = at('strict.json')
    await writeFile(strict, JSON.stringify({ ...(setUp.policy['attestation'] as object), roots: ['intel'] }))
    expect((await asJson(3, 'lineage', jobId, '--trust', strict)).code).toBe(1)
  })
})
