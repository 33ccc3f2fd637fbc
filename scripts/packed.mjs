// `node scripts/packed.mjs`: what a stranger's project gets. Packs every package as it would be published, lays the tarballs out
// as npm would, each beside nothing but what its manifest asks for, imports every entry and asks every program for help. An
// entry may be missing only what is an optional peer of its package, and imports once that is there.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { floors } = JSON.parse(readFileSync(join(root, 'architecture/packages.json'), 'utf8'))
const manifests = floors
  .flat()
  .map((name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')))
// Entries that are another process's program: they speak with the parent that starts them.
const childPrograms = ['@sealpool/query/duckdb-worker']
const project = mkdtempSync(join(tmpdir(), 'sealpool-packed-'))
const problems = []

const home = (name) => join(project, 'node_modules', name)

/** Puts a dependency where the package finds it: ours from its tarball, a stranger's from the workspace. */
function give(packageName, dependency) {
  const place = join(home(packageName), 'node_modules', dependency)
  mkdirSync(dirname(place), { recursive: true })
  const own = join(root, 'packages', packageName.replace('@sealpool/', ''), 'node_modules', dependency)
  const target = dependency.startsWith('@sealpool/')
    ? home(dependency)
    : [own, join(root, 'node_modules', dependency)].find((path) => readable(path))
  if (target === undefined) problems.push(`${packageName}: ${dependency} is not installed in the workspace`)
  else symlinkSync(target, place)
}

function readable(folder) {
  try {
    readFileSync(join(folder, 'package.json'))
    return true
  } catch {
    return false
  }
}

async function node(args) {
  try {
    const { stdout } = await run(process.execPath, args, { cwd: project, timeout: 120_000 })
    return { ok: true, text: stdout }
  } catch (error) {
    return { ok: false, text: String(error.stderr || error.message) }
  }
}

const importing = (specifier) =>
  node([
    '--input-type=module',
    '-e',
    `console.log(Object.keys(await import(${JSON.stringify(specifier)})).length)`,
  ])

const missing = (text) => /Cannot find package '([^']+)'/.exec(text)?.[1]
const firstLines = (text) => text.trim().split('\n').slice(0, 6).join('\n  ')

/** @returns how many of the package's entries were imported */
async function importEntries({ name, exports, peerDependenciesMeta = {} }) {
  const entries = Object.entries(exports).flatMap(([subpath, target]) =>
    typeof target === 'string' ? [] : [`${name}${subpath.slice(1)}`],
  )
  const given = new Set()
  for (const specifier of entries.filter((one) => !childPrograms.includes(one))) {
    let answer = await importing(specifier)
    // A main entry works with what npm installs by itself.
    for (let peer = missing(answer.text); !answer.ok && specifier !== name; peer = missing(answer.text)) {
      if (peer === undefined || given.has(peer) || peerDependenciesMeta[peer]?.optional !== true) break
      given.add(peer)
      give(name, peer)
      answer = await importing(specifier)
    }
    if (!answer.ok) problems.push(`import '${specifier}': ${firstLines(answer.text)}`)
    else if (Number(answer.text) === 0) problems.push(`import '${specifier}': exports nothing`)
  }
  return entries.length
}

/** @returns how many programs the package has */
async function askPrograms({ name, bin = {} }) {
  for (const [program, path] of Object.entries(bin)) {
    const { ok, text } = await node([join(home(name), path), '--help'])
    if (!ok || !text.includes(program)) problems.push(`${program} --help: ${firstLines(text)}`)
  }
  return Object.keys(bin).length
}

let entries = 0
let programs = 0
try {
  const workspaces = manifests.map(({ name }) => `--workspace=${name}`)
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', project, ...workspaces],
    { cwd: root, maxBuffer: 1 << 26 },
  )
  for (const { name, filename } of JSON.parse(stdout)) {
    mkdirSync(home(name), { recursive: true })
    await run('tar', ['-xzf', join(project, filename), '-C', home(name), '--strip-components=1'])
  }
  for (const { name, dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } of manifests) {
    const peers = Object.keys(peerDependencies).filter(
      (peer) => peerDependenciesMeta[peer]?.optional !== true,
    )
    for (const dependency of new Set([...Object.keys(dependencies), ...peers])) give(name, dependency)
  }
  for (const manifest of manifests) {
    entries += await importEntries(manifest)
    programs += await askPrograms(manifest)
  }
} finally {
  rmSync(project, { recursive: true, force: true })
}
for (const problem of problems) console.error(problem)
console.log(
  `${manifests.length} packages packed, ${entries} entries, ${programs} programs, ${problems.length} problems`,
)
process.exitCode = problems.length === 0 ? 0 : 1
