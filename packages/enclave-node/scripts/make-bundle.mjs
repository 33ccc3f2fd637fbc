// Makes the bundle of the node: one tar of what is built and of the production dependencies that the lockfile pins, the same bytes
// on every machine. `node packages/enclave-node/scripts/make-bundle.mjs --out node.tar [--with pg] [--root DIR]`; `--check` makes
// it twice, unpacks it and starts its program instead of keeping it.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { billOfMaterials } from './bill-of-materials.mjs'

/** The machine that the image is for; what others need is left out. */
const target = { os: 'linux', cpu: 'x64', libc: 'glibc' }
const start = 'packages/enclave-node'
const program = 'node_modules/@sealpool/enclave-node'
/** A chain of its own is for tests. */
const leftOut = /^@foundry-rs\//
/** Types, maps and sources are nobody's at run time. */
const unneeded = /\.(map|d\.[cm]?ts|tsbuildinfo|md|markdown|flow)$|^(src|test|tests|docs|examples)\//
const zeros = Buffer.alloc(1024)

class BundleError extends Error {}

/** Finds the lockfile's entry of a dependency as Node would find the package. */
function locate(lock, from, name) {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf('/node_modules/'))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (lock[path] !== undefined) return path
    if (folder === '') return undefined
    if (!folder.includes('/node_modules/')) folder = '/node_modules/'
  }
}

const fits = (entry) =>
  Object.entries(target).every(([key, value]) => entry[key] === undefined || entry[key].includes(value))

/** Packages that run: places in the lockfile, where each lies in the bundle, and what it needs there. */
function closure(lock, extra) {
  const found = new Map()
  const queue = [{ path: start, place: program }]
  while (queue.length > 0) {
    const { path, place } = queue.shift()
    if (found.has(path)) continue
    const entry = lock[path]
    const needs = []
    found.set(path, { place, needs })
    const peers = Object.keys(entry.peerDependencies ?? {}).filter(
      (name) => entry.peerDependenciesMeta?.[name]?.optional !== true,
    )
    const optional = new Set(Object.keys(entry.optionalDependencies ?? {}))
    const wanted = [
      ...Object.keys(entry.dependencies ?? {}),
      ...optional,
      ...peers,
      ...(path === start ? extra : []),
    ]
    for (const name of wanted) {
      if (leftOut.test(name)) continue
      const at = locate(lock, path, name)
      const resolved = at !== undefined && lock[at].link === true ? lock[at].resolved : at
      if (resolved === undefined || (optional.has(name) && !fits(lock[resolved]))) {
        if (optional.has(name)) continue
        throw new BundleError(`the lockfile does not pin ${name}, which ${path} needs`)
      }
      needs.push(at)
      queue.push({ path: resolved, place: at })
    }
  }
  return found
}

/** The files of one package, without the packages inside it. */
function filesOf(folder, isOurs) {
  const files = []
  const walk = (inside) => {
    for (const name of readdirSync(join(folder, inside)).sort()) {
      const path = inside === '' ? name : `${inside}/${name}`
      const kind = lstatSync(join(folder, path))
      if (kind.isDirectory()) {
        if (name !== 'node_modules' && !name.startsWith('.')) walk(path)
        continue
      }
      if (!kind.isFile()) throw new BundleError(`${join(folder, path)} is neither file nor folder`)
      const belongs = isOurs
        ? /^(dist\/|package\.json$|LICENSE)/.test(path) && !/^dist\/testing\//.test(path)
        : true
      if (belongs && (!unneeded.test(path) || /licen[cs]e/i.test(name))) files.push(path)
    }
  }
  walk('')
  return files
}

/** All files of the bundle by their name in it. */
function contents(root, extra) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const entries = []
  const packages = []
  for (const [path, { place, needs }] of closure(lock, extra)) {
    const folder = join(root, path)
    const isOurs = !path.includes('node_modules/')
    if (!existsSync(join(folder, 'package.json')))
      throw new BundleError(`${path} is not installed; run npm ci`)
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    if (version !== lock[path].version) {
      throw new BundleError(`${path} is ${version} and the lockfile pins ${lock[path].version}; run npm ci`)
    }
    if (isOurs && !existsSync(join(folder, 'dist/index.js')))
      throw new BundleError(`${path} is not built; run npm run build`)
    packages.push({ place, name, version, license, integrity: lock[path].integrity, needs })
    for (const file of filesOf(folder, isOurs))
      entries.push({ name: `${place}/${file}`, path: join(folder, file) })
  }
  const materials = { name: 'bom.cdx.json', bytes: billOfMaterials(packages, program) }
  return [materials, ...entries].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function header(name, size, type = '0') {
  const block = Buffer.alloc(512)
  block.write(name, 0, 100, 'utf8')
  const field = (value, at, length) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  field(0o644, 100, 8)
  field(0, 108, 8)
  field(0, 116, 8)
  field(size, 124, 12)
  field(0, 136, 12)
  block.write('        ', 148, 'latin1')
  block.write(type, 156, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
  return block
}

/** A tar (POSIX 1003.1-2001): sorted names, no times, no owners, one mode. */
function* tar(entries) {
  const padded = (bytes) => zeros.subarray(0, (512 - (bytes.length % 512)) % 512)
  for (const { name, path, bytes = readFileSync(path) } of entries) {
    if (Buffer.byteLength(name) > 100) {
      let record = ` path=${name}\n`
      let length = Buffer.byteLength(record)
      while (Buffer.byteLength(`${length}${record}`) !== length)
        length = Buffer.byteLength(`${length}${record}`)
      record = `${length}${record}`
      yield header('long-name', length, 'x')
      yield Buffer.from(record)
      yield padded(Buffer.from(record))
    }
    yield header(name.slice(0, 100), bytes.length)
    yield bytes
    yield padded(bytes)
  }
  yield zeros
}

/** Makes the bundle, into a file when one is named. */
function makeBundle({ root, extra, out }) {
  const entries = contents(root, extra)
  const hash = createHash('sha256')
  const part = `${out}.${process.pid}.part`
  const file = out === undefined ? undefined : openSync(part, 'wx', 0o644)
  let size = 0
  try {
    for (const bytes of tar(entries)) {
      hash.update(bytes)
      size += bytes.length
      for (let from = 0; file !== undefined && from < bytes.length; ) from += writeSync(file, bytes, from)
    }
    if (file !== undefined) renameSync(part, out)
  } finally {
    if (file !== undefined) closeSync(file)
    rmSync(part, { force: true })
  }
  return { bundle: `sha256:${hash.digest('hex')}`, bytes: size, files: entries.length }
}

/** Makes the bundle twice, compares, unpacks one with another program, and starts what is in it away from this tree. */
function check({ root, extra }) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-bundle-'))
  try {
    const out = join(folder, 'node.tar')
    const first = makeBundle({ root, extra, out })
    const second = makeBundle({ root, extra })
    if (first.bundle !== second.bundle)
      throw new BundleError('two bundles of the same tree are not the same bytes')
    execFileSync('tar', ['-xf', out, '-C', folder])
    rmSync(out)
    const command = join(folder, program, 'dist/cli/sealpool-node.js')
    execFileSync(process.execPath, [command, '--help'], { cwd: folder, env: {} })
    const measured = execFileSync(process.execPath, [command, 'measure', '--data', join(folder, 'data')], {
      env: {},
    })
    if (JSON.parse(measured).simulated !== true)
      throw new BundleError('the program of the bundle does not measure')
    return first
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    with: { type: 'string', multiple: true, default: [] },
    root: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})
const root = resolve(values.root ?? join(dirname(fileURLToPath(import.meta.url)), '../../..'))
try {
  if (values.out === undefined && !values.check)
    throw new BundleError('name the file: --out FILE, or --check')
  const options = { root, extra: values.with }
  const made = values.check ? check(options) : makeBundle({ ...options, out: resolve(values.out) })
  console.log(JSON.stringify(made))
} catch (error) {
  if (!(error instanceof BundleError)) throw error
  console.error(`make-bundle: ${error.message}`)
  process.exitCode = 1
}
