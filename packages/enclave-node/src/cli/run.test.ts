import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { settingsWith } from '../testing/settings.js'
import { commands, runNodeCli } from './run.js'

/* The command as a function; the built program is in sealpool-node.test.ts. */

async function run(...argv: string[]) {
  let [out, err] = ['', '']
  const code = await runNodeCli(argv, {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
  })
  return { code, out, err }
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealpool-node-cli-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

const names = commands.map(({ name }) => name)

describe('help', () => {
  it.each(names)(
    'of %s names each option, has an example and exit codes, and fits a terminal',
    async (name) => {
      const { code, out, err } = await run(...name.split(' '), '--help')
      expect({ code, err }).toEqual({ code: 0, err: '' })
      const command = commands.find((one) => one.name === name)
      for (const option of Object.keys(command?.options ?? {})) expect(out).toContain(`--${option}`)
      expect(out).toContain('--json')
      expect(out).toContain('Exit codes: 0')
      expect(out).toMatch(/\nExamples?:\n {2}\S/)
      for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
      // The same by its other name, and in the middle of a command line.
      expect((await run('help', ...name.split(' '))).out).toBe(out)
      expect((await run(...name.split(' '), '--config', 'node.json', '-h')).out).toBe(out)
    },
  )

  it('of the program lists every command', async () => {
    for (const words of [['--help'], ['-h'], ['help']]) {
      const { code, out } = await run(...words)
      expect(code).toBe(0)
      for (const name of names) expect(out).toContain(`  ${name} `)
      for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    }
  })

  it('of the committee lists its steps', async () => {
    const { out } = await run('committee', '--help')
    for (const name of names) expect(out.includes(`  ${name} `)).toBe(name.startsWith('committee '))
  })

  it('without a command goes to standard error, and is a mistake', async () => {
    expect(await run()).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Usage:') })
  })
})

it('tells its version', async () => {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  for (const word of ['--version', 'version'])
    expect(await run(word)).toEqual({ code: 0, out: `sealpool-node ${version}\n`, err: '' })
})

describe('a command line that is not understood', () => {
  const secret = `0x${'5e'.repeat(32)}`
  it.each([
    ['dance', 'no such command'],
    ['stat', 'did you mean start, status?'],
    ['committee', 'say which: committee join'],
    ['committee dance', 'say which: committee join'],
    ['start', 'give --config FILE'],
    ['start --config', 'has no value'],
    ['start --config a --config b', 'at --config: it was given twice'],
    ['start --config a --yes', 'no option --yes'],
    ['start node.json --config a', 'nothing but options'],
    ['start --config a --port 70000', 'at --port'],
    ['incident --config a', 'at kind: say which: vulnerable, workload, key, end'],
    ['incident sunk --config a', 'at kind'],
    ['incident key end --config a', 'takes one argument'],
    ['drill end', 'say which: vulnerable, workload, key'],
    ['measure', 'say what to measure'],
    ['measure --image x', 'belongs to --data'],
    ['measure --data d --bundle b', 'alone or with --image'],
    ['egress --config a --form iptables', 'expected nft, systemd, hosts'],
    ['restore --config a --from b', 'give --checkpoint FILE|none'],
    [`status --url u ${secret}`, 'nothing but options'],
    [`start --config a --${secret}`, 'no option'],
  ])('%s', async (line, why) => {
    const { code, out, err } = await run(...line.split(' '))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('OPTION_INVALID')
    expect(err).toContain(why)
    expect(err).toMatch(/\nTry: sealpool-node .*--help\n$/)
    expect(err).not.toContain(secret)
    expect(err.split('\n').length).toBeLessThan(4)
  })

  it('is told to programs as well', async () => {
    const { code, out } = await run('start', '--json')
    expect(code).toBe(2)
    expect(out.endsWith('}\n')).toBe(true)
    expect(JSON.parse(out)).toEqual({
      error: { code: 'OPTION_INVALID', place: '--config', message: expect.stringContaining('--config FILE') },
    })
  })
})

describe('exit codes', () => {
  it('are 2 for settings that somebody has to mend, and name the file', async () => {
    const at = await folder()
    const config = join(at, 'node.json')
    const absent = await run('start', '--config', config)
    expect(absent).toMatchObject({ code: 2, out: '', err: expect.stringContaining(config) })
    await writeFile(config, '{')
    expect((await run('backup', '--config', config, '--to', join(at, 'b'))).code).toBe(2)
    await writeFile(config, JSON.stringify({ ...settingsWith(), colour: 'blue' }))
    const wrong = await run('measure', '--config', config, '--json')
    expect(wrong.code).toBe(2)
    expect(JSON.parse(wrong.out)).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
  })

  it('are 3 for what cannot be done', async () => {
    const answer = await run('status', '--url', 'http://127.0.0.1:1', '--json')
    expect(answer.code).toBe(3)
    expect(JSON.parse(answer.out)).toMatchObject({
      error: { code: 'NODE_UNREACHABLE', place: expect.stringContaining('http://127.0.0.1:1') },
    })
  })

  it('are 2 for an address that can be no node’s', async () => {
    for (const url of ['nonsense', 'ftp://node.example', '']) {
      const answer = await run('status', '--url', url, '--json')
      expect(answer.code).toBe(2)
      expect(JSON.parse(answer.out)).toMatchObject({ error: { code: 'OPTION_INVALID', place: '--url' } })
    }
  })

  it('are 1 for an audit log that does not verify, and 2 for one that cannot be read', async () => {
    const file = join(await folder(), 'audit.jsonl')
    expect((await run('audit', '--file', file)).code).toBe(2)
    await writeFile(file, '')
    const empty = await run('audit', '--file', file, '--json')
    expect(empty.code).toBe(0)
    expect(JSON.parse(empty.out)).toEqual({ ok: true, head: '0:none', events: {}, lost: false })
    expect(await run('audit', '--file', file)).toMatchObject({
      code: 0,
      out: 'verifies: no entries\nhead 0:none\n',
    })
    await writeFile(file, 'not an entry\n')
    const bad = await run('audit', '--file', file, '--json')
    expect(bad.code).toBe(1)
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false, line: 1 })
  })
})

describe('status', () => {
  async function node(ready: boolean): Promise<string> {
    const answers: Record<string, object> = {
      '/v1/ready': { simulated: true, ready, reasons: ready ? [] : ['NO_KEY at \u001b[31mpay'] },
      '/v1/pools': { pools: [{ pool: '0xaa', name: 'pay', epoch: null }] },
      '/v1/contributions?pool=0xaa': {
        total: 3,
        states: { refined: 2, refused: 1 },
        refused: { BLOB_MISSING: 1 },
      },
      '/v1/jobs': { states: { running: 1 } },
    }
    const server = createServer(({ url = '' }, response) => response.end(JSON.stringify(answers[url])))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('is 0 for a node that is ready and 1 for one that is not', async () => {
    expect((await run('status', '--url', await node(true))).code).toBe(0)
    const { code, out } = await run('status', '--url', await node(false))
    expect(code).toBe(1)
    expect(out).toContain('not ready\n  NO_KEY at \ufffd[31mpay\n')
    expect(out).toMatch(/pay +- +3 +0 +0 +0 +2 +1\n {2}pay: 1 x BLOB_MISSING\n\njobs: 1 running\n$/)
  })

  it('gives programs one line of JSON', async () => {
    const url = await node(true)
    const { out } = await run('status', '--url', `${url}/`, '--json')
    expect(out.split('\n')).toHaveLength(2)
    expect(JSON.parse(out)).toEqual({
      url,
      simulated: true,
      ready: true,
      reasons: [],
      notes: [],
      pools: [
        {
          pool: '0xaa',
          name: 'pay',
          epoch: null,
          contributions: { total: 3, states: { refined: 2, refused: 1 }, refused: { BLOB_MISSING: 1 } },
        },
      ],
      jobs: { running: 1 },
    })
  })
})

it('measure prints one document, on one line with --json', async () => {
  const bundle = join(await folder(), 'node.tar')
  await writeFile(bundle, 'the bundle')
  const laidOut = await run('measure', '--bundle', bundle)
  const line = await run('measure', '--bundle', bundle, '--json')
  expect(line.out.split('\n')).toHaveLength(2)
  expect(JSON.parse(line.out)).toEqual(JSON.parse(laidOut.out))
})
