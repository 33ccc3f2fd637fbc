import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'

interface Judged {
  readonly problems: readonly string[]
  readonly open: readonly string[]
}
interface Rules {
  judgeDeployment(read: (file: string) => unknown): Judged
}
const rules: Rules = await import(new URL('../../scripts/deployment-rules.mjs', import.meta.url).href)
const script = fileURLToPath(new URL('../../scripts/check-deployment.mjs', import.meta.url))
const image = fileURLToPath(new URL('../../image', import.meta.url))
const [dstack, compose, rofl] = ['docker-compose.dstack.yaml', 'compose.rofl.yaml', 'rofl.yaml']
const originals = new Map<string, string>()
for (const file of [dstack, compose, rofl]) originals.set(file, await readFile(join(image, file), 'utf8'))

let files: Map<string, string>
beforeEach(() => {
  files = new Map(originals)
})
const judged = (): Judged => rules.judgeDeployment((file) => parse(files.get(file) ?? ''))

function change(file: string, from: string | RegExp, to: string): void {
  const text = files.get(file) ?? ''
  const changed = text.replace(from, to)
  expect(changed).not.toBe(text)
  files.set(file, changed)
}

const digest = 'ab'.repeat(32)
const address = `https://github.com/oasisprotocol/x#${digest}`

/** As a deployment looks in which everything is filled in. */
function fill(): void {
  change('docker-compose.dstack.yaml', /\$\{IMAGE:[^}]*\}/, `node@sha256:${digest}`)
  change('compose.rofl.yaml', '0'.repeat(64), digest)
  change(
    'rofl.yaml',
    'artifacts:\n',
    `artifacts:\n  firmware: ${address}\n  kernel: ${address}\n  stage2: ${address}\n`,
  )
  change('rofl.yaml', 'compose: compose', `runtime: ${address}\n    compose: compose`)
  change(
    'rofl.yaml',
    'network: testnet\n',
    `app_id: rofl1qr38yckt9s7rzuadyzg0mu04jtctusftcy6t7rpy\n    network: testnet\n    trust_root:\n      height: 9\n      hash: ${digest}\n`,
  )
  change('rofl.yaml', 'enclaves: []', 'enclaves: [{ id: AAAA }]')
}

it('finds nothing wrong in this tree, and says what is to be filled in', () => {
  const { problems, open } = judged()
  expect(problems).toEqual([])
  expect(open).toHaveLength(9)
})

it('takes files in which all is filled in', () => {
  fill()
  expect(judged()).toEqual({ problems: [], open: [] })
})

describe('the program', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealpool-deployment-test-'))
    await cp(image, folder, { recursive: true })
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  const run = (...options: readonly string[]) =>
    execFileSync(process.execPath, [script, '--folder', folder, ...options], {
      encoding: 'utf8',
      stdio: 'pipe',
    })

  it('fails where there is a problem, and to deploy also where something is open', async () => {
    expect(JSON.parse(run())).toEqual(judged())
    expect(() => run('--deploy')).toThrow()
    fill()
    for (const [file, text] of files) await writeFile(join(folder, file), text)
    expect(JSON.parse(run('--deploy'))).toEqual({ problems: [], open: [] })
    await writeFile(join(folder, rofl), 'tee: sgx')
    expect(() => run()).toThrow()
  })
})

describe('a file', () => {
  const plain = Buffer.from('key: a key of somebody that stands here by mistake, in the clear!').toString(
    'base64',
  )
  it.each<[string, string, string | RegExp, string, RegExp]>([
    ['with an image by its tag', dstack, /\$\{IMAGE[^}]*\}/, 'node:latest', /digest/],
    ['with an image by its tag for ROFL', compose, /@sha256:0+/, ':latest', /digest/],
    ['with an image of no registry', compose, 'registry.invalid/', '', /registry/],
    [
      'that runs as root of the machine',
      dstack,
      'read_only',
      'privileged: true\n    read_only',
      /rights over/,
    ],
    ['with a device', compose, 'read_only', 'devices: [/dev/kmsg]\n    read_only', /rights over/],
    ['on the network of the machine', dstack, 'read_only', 'network_mode: host\n    read_only', /namespace/],
    ['that may be written', dstack, 'read_only: true', 'read_only: false', /read-only/],
    ['that keeps capabilities', dstack, 'cap_drop: [ALL]', 'cap_drop: [CHOWN]', /capabilities/],
    ['that may gain privileges', compose, 'no-new-privileges:true', 'label=disable', /gain/],
    ['that leaves core files', compose, 'core: 0', 'core: 1', /core file/],
    [
      'with a file of variables',
      dstack,
      'environment:',
      'env_file: x\n    environment:',
      /file of variables/,
    ],
    ['with a key in it', dstack, /\$\{SEALPOOL[^}]*\}/, '0xabc', /TRANSACTION_KEY has its value/],
    ['with a port of any number', compose, '"8787:8787"', '"8787"', /port/],
    ['with a folder of the machine', dstack, '/var/run/dstack.sock:', '/:', /given \//],
    ['with the socket of podman', compose, 'node-data:/data', '/run/podman.sock:/x', /podman/],
    ['with a volume from elsewhere', compose, 'node-data: {}', 'node-data: { external: true }', /options/],
    ['with a word that is none', rofl, 'tee: tdx', 'tee: tdx\ntees: 1', /tees is no field/],
    ['of another kind', rofl, 'kind: container', 'kind: raw', /kind container/],
    ['without a version', rofl, '0.1.0', 'one', /version/],
    ['with little memory', rofl, '4096', '512', /memory/],
    ['whose disk is forgotten', rofl, 'disk-persistent', 'disk-ephemeral', /outlive/],
    [
      'with another compose file',
      rofl,
      'compose: compose.rofl.yaml',
      'compose: compose.yaml',
      /compose\.rofl/,
    ],
    [
      'with an unpinned kernel',
      rofl,
      'artifacts:\n',
      'artifacts:\n  kernel: https://x\n',
      /kernel has no SHA-256/,
    ],
    ['with an unpinned builder', rofl, 'artifacts:\n', 'artifacts:\n  builder: x:1\n', /builder/],
    [
      'with an unpinned runtime',
      rofl,
      'compose: c',
      'runtime: https://x\n    compose: c',
      /runtime has no SHA/,
    ],
    ['without a name', rofl, 'name: sealpool-node', 'name: ""', /no name/],
    ['with half a processor', rofl, 'cpus: 2', 'cpus: 0.5', /cpus/],
    ['with no room', rofl, 'size: 20000', 'size: 1', /storage\.size/],
    ['with no deployment', rofl, /deployments:[\s\S]*/, '', /no deployment/],
    [
      'with a word of its deployment that is none',
      rofl,
      'network:',
      'net: x\n    network:',
      /net is no field/,
    ],
    [
      'with a word of its policy that is none',
      rofl,
      'enclaves: []',
      'enclave: x\n      enclaves: []',
      /enclave is no field/,
    ],
    ['of no paratime', rofl, 'paratime: sapphire\n', '\n', /no paratime/],
    ['that takes TCB information of any age', rofl, /tcb_validity.*/, '', /tcb_validity_period/],
    ['that may be debugged', rofl, 'network:', 'debug: true\n    network:', /debugged/],
    ['with an app that is none', rofl, 'network:', 'app_id: x\n    network:', /app_id is none/],
    ['with half a trust root', rofl, 'network:', 'trust_root: { height: 1 }\n    network:', /trust_root/],
    ['of no network', rofl, 'network: testnet\n', '\n', /no network/],
    ['that takes quotes of old machines', rofl, /min_tcb.*/, '', /any age/],
    ['that takes other quotes', rofl, 'tdx: {}', 'sgx: {}', /TDX quotes/],
    ['that nobody may run', rofl, '- any: {}', '[]', /no machine/],
    ['with fees of nobody', rofl, 'endorsing_node', 'nobody', /fees/],
    ['with no end', rofl, 'max_expiration: 3', 'max_expiration: 0', /max_expiration/],
    [
      'with a plain secret',
      rofl,
      'network:',
      `secrets: [{ name: K, value: ${plain} }]\n    network:`,
      /secret K is not/,
    ],
  ])('%s is refused', (_name, file, from, to, problem) => {
    change(file, from, to)
    const { problems } = judged()
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(problems.join()).not.toContain(plain)
  })

  it('with another container beside the node is refused', () => {
    change(compose, 'services:\n', 'services:\n  other: { image: x }\n')
    expect(judged().problems).toContainEqual(expect.stringMatching(/alone/))
  })

  it('with a sealed secret is taken', () => {
    const secret = Buffer.concat([Buffer.from('a462706b5820', 'hex'), Buffer.alloc(64, 7)]).toString('base64')
    change('rofl.yaml', 'network:', `secrets: [{ name: K, value: ${secret} }]\n    network:`)
    expect(judged().problems).toEqual([])
  })
})
