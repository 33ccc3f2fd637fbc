import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { afterEach, beforeEach, expect, it } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/make-bundle.mjs', import.meta.url))
const longName = `${'deep/'.repeat(30)}file.js`

let folder: string
let root: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-bundle-test-'))
  root = join(folder, 'tree')
  await plant(lock, {
    'packages/enclave-node/package.json': { name: '@sealpool/enclave-node', version: '1.0.0' },
    'packages/enclave-node/dist/index.js': 'node',
    'packages/enclave-node/dist/index.js.map': 'a map',
    'packages/enclave-node/dist/testing/port-suites.js': 'tests',
    'packages/enclave-node/src/secret-notes.ts': 'source',
    'packages/crypto/package.json': { name: '@sealpool/crypto', version: '1.0.0' },
    'packages/crypto/dist/index.js': 'crypto',
    'node_modules/used/package.json': { name: 'used', version: '2.0.0', license: 'MIT' },
    'node_modules/used/index.js': 'used',
    'node_modules/used/index.d.ts': 'types',
    'node_modules/used/LICENSE.md': 'its licence',
    [`node_modules/used/${longName}`]: 'far down',
    'node_modules/used/node_modules/inner/package.json': { name: 'inner', version: '1.0.0' },
    'node_modules/used/node_modules/inner/index.js': 'the inner one',
    'node_modules/inner/package.json': { name: 'inner', version: '9.0.0' },
    'node_modules/inner/index.js': 'somebody else’s',
    'node_modules/native/package.json': {
      name: 'native',
      version: '1.0.0',
      license: 'MIT OR Apache-2.0',
    },
    'node_modules/native/native.node': 'machine code',
    'node_modules/for-tests/package.json': { name: 'for-tests', version: '1.0.0' },
    'node_modules/extra/package.json': {
      name: 'extra',
      version: '1.0.0',
      license: 'SEE LICENSE IN LICENSE',
    },
    'node_modules/extra/index.js': 'by name only',
  })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const integrity = `sha512-${Buffer.alloc(64, 0xab).toString('base64')}`
const lock = {
  '': { devDependencies: { 'for-tests': '1.0.0' } },
  'packages/enclave-node': {
    version: '1.0.0',
    dependencies: { '@sealpool/crypto': '1.0.0', used: '2.0.0' },
    optionalDependencies: { native: '1.0.0', 'native-windows': '1.0.0', '@foundry-rs/anvil': '1.0.0' },
    devDependencies: { 'for-tests': '1.0.0' },
    peerDependencies: { extra: '>=1' },
    peerDependenciesMeta: { extra: { optional: true } },
  },
  'packages/crypto': { version: '1.0.0' },
  'node_modules/@sealpool/crypto': { resolved: 'packages/crypto', link: true },
  'node_modules/used': { version: '2.0.0', integrity, dependencies: { inner: '1' } },
  'node_modules/used/node_modules/inner': { version: '1.0.0' },
  'node_modules/inner': { version: '9.0.0' },
  'node_modules/native': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
  'node_modules/native-windows': { version: '1.0.0', optional: true, os: ['win32'], cpu: ['x64'] },
  'node_modules/@foundry-rs/anvil': { version: '1.0.0', optional: true },
  'node_modules/for-tests': { version: '1.0.0', dev: true },
  'node_modules/extra': { version: '1.0.0' },
}

async function plant(packages: object, files: Readonly<Record<string, string | object>>): Promise<void> {
  await mkdir(root, { recursive: true })
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
}
const run = (...words: string[]) =>
  promisify(execFile)(process.execPath, [script, '--root', root, ...words]).then(
    ({ stdout }) => JSON.parse(stdout) as { bundle: string; files: number },
    (error: { stderr: string }) => error.stderr,
  )
let bundles = 0
const made = async (...words: string[]) => {
  bundles += 1
  const out = join(folder, `${bundles}.tar`)
  const said = await run('--out', out, ...words)
  if (typeof said === 'string') throw new Error(said)
  return { ...said, out }
}
/** What another program finds in a bundle. */
const listed = (out: string) => execFileSync('tar', ['-tf', out], { encoding: 'utf8' }).trim().split('\n')

it('holds what runs and nothing else, where Node finds it', async () => {
  const { out, bundle, files } = await made()
  expect(bundle).toBe(
    `sha256:${createHash('sha256')
      .update(await readFile(out))
      .digest('hex')}`,
  )
  const names = listed(out)
  expect(names).toEqual([
    'bom.cdx.json',
    'node_modules/@sealpool/crypto/dist/index.js',
    'node_modules/@sealpool/crypto/package.json',
    'node_modules/@sealpool/enclave-node/dist/index.js',
    'node_modules/@sealpool/enclave-node/package.json',
    'node_modules/native/native.node',
    'node_modules/native/package.json',
    'node_modules/used/LICENSE.md',
    `node_modules/used/${longName}`,
    'node_modules/used/index.js',
    'node_modules/used/node_modules/inner/index.js',
    'node_modules/used/node_modules/inner/package.json',
    'node_modules/used/package.json',
  ])
  expect(files).toBe(names.length)
  execFileSync('tar', ['-xf', out, '-C', folder])
  expect(await readFile(join(folder, `node_modules/used/${longName}`), 'utf8')).toBe('far down')
  expect(await readFile(join(folder, 'node_modules/used/node_modules/inner/index.js'), 'utf8')).toBe(
    'the inner one',
  )
})

it('says in a valid CycloneDX document what it is made of, and what needs what', async () => {
  const { out } = await made('--with', 'extra')
  execFileSync('tar', ['-xf', out, '-C', folder, 'bom.cdx.json'])
  const text = await readFile(join(folder, 'bom.cdx.json'), 'utf8')
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull()
  const { metadata, components, dependencies } = JSON.parse(text)
  expect(metadata.component).toEqual({
    type: 'application',
    'bom-ref': 'pkg:npm/%40sealpool/enclave-node@1.0.0',
    group: '@sealpool',
    name: 'enclave-node',
    version: '1.0.0',
    purl: 'pkg:npm/%40sealpool/enclave-node@1.0.0',
  })
  const named = (name: string) => components.filter((one: { name: string }) => one.name === name)
  expect(components).toHaveLength(5)
  expect(named('used')).toEqual([
    {
      type: 'library',
      'bom-ref': 'pkg:npm/used@2.0.0',
      name: 'used',
      version: '2.0.0',
      hashes: [{ alg: 'SHA-512', content: 'ab'.repeat(64) }],
      licenses: [{ license: { id: 'MIT' } }],
      purl: 'pkg:npm/used@2.0.0',
    },
  ])
  expect(named('native')[0].licenses).toEqual([{ expression: 'MIT OR Apache-2.0' }])
  expect(named('extra')[0].licenses).toEqual([{ license: { name: 'SEE LICENSE IN LICENSE' } }])
  expect(named('inner').map((one: { version: string }) => one.version)).toEqual(['1.0.0'])
  expect(dependencies).toContainEqual({ ref: 'pkg:npm/used@2.0.0', dependsOn: ['pkg:npm/inner@1.0.0'] })
  expect(dependencies).toContainEqual({
    ref: 'pkg:npm/%40sealpool/enclave-node@1.0.0',
    dependsOn: [
      'pkg:npm/%40sealpool/crypto@1.0.0',
      'pkg:npm/extra@1.0.0',
      'pkg:npm/native@1.0.0',
      'pkg:npm/used@2.0.0',
    ],
  })
})

it('is the same bytes whoever made the tree, when, and with what rights', async () => {
  const first = await made()
  const copy = join(folder, 'copy')
  await cp(root, copy, { recursive: true })
  for (const name of ['packages/crypto/dist/index.js', 'node_modules/used/index.js']) {
    await chmod(join(copy, name), 0o755)
    await utimes(join(copy, name), 1_000_000, 1_000_000)
  }
  root = copy
  expect((await made()).bundle).toBe(first.bundle)
  await writeFile(join(copy, 'node_modules/for-tests/index.js'), 'not in it')
  expect((await made()).bundle).toBe(first.bundle)
  await writeFile(join(copy, 'node_modules/used/index.js'), 'Used')
  expect((await made()).bundle).not.toBe(first.bundle)
})

it('takes an optional peer in when it is named', async () => {
  expect(listed((await made('--with', 'extra')).out)).toContain('node_modules/extra/index.js')
  expect(await run('--out', join(folder, 'x'), '--with', 'unheard-of')).toContain('does not pin unheard-of')
})

it('is not made of what the lockfile does not say', async () => {
  await writeFile(join(root, 'node_modules/used/package.json'), '{"name":"used","version":"2.0.1"}')
  expect(await run('--out', join(folder, 'x'))).toContain('npm ci')
  await rm(join(root, 'node_modules/used'), { recursive: true })
  expect(await run('--out', join(folder, 'x'))).toContain('is not installed')
  await plant(lock, { 'node_modules/used/package.json': { name: 'used', version: '2.0.0' } })
  await rm(join(root, 'packages/crypto/dist'), { recursive: true })
  expect(await run('--out', join(folder, 'x'))).toContain('is not built')
  expect(await run()).toContain('--out')
})
