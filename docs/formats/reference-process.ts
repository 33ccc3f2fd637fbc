import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the formats' pages. */
export const here = dirname(fileURLToPath(import.meta.url))
/** The reference reader's command line. */
export const reader = join(here, 'reference/read.py')
// Debian's, by its path: another python3 that comes first has not the packages that README.md of the reader names.
const python = '/usr/bin/python3'

const missing = spawnSync(python, ['-c', 'import cryptography']).status !== 0
/** Whether tests are to be left out because Python is missing: never in CI, where that is a failure. */
export const skipped = missing && process.env.CI === undefined
if (skipped) console.log(`skipped: ${python} with the Debian package python3-cryptography is not here`)

/** Fails where Python is missing and tests are not left out. */
export function requirePython(): void {
  if (missing) throw new Error(`${python} cannot import cryptography; apt-get install python3-cryptography`)
}

/** An empty folder for a page of tests; it stays for whoever looks into a failure. */
export function scratch(name: string): string {
  const folder = join(here, '../../.tmp', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Base64 as the vectors have it. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Runs the reader. */
export function run(args: readonly string[], input?: Uint8Array) {
  const options = { timeout: 60_000, maxBuffer: 2 ** 26, ...(input === undefined ? {} : { input }) }
  const { status, stdout, stderr } = spawnSync(python, [reader, ...args], options)
  return { status, stdout, stderr: stderr.toString() }
}

/** Files in the form of the published vectors. */
export interface VectorFiles {
  readonly positive?: readonly unknown[]
  readonly negative?: readonly unknown[]
  readonly armor?: { readonly positive: readonly unknown[]; readonly negative: readonly unknown[] }
}

/**
 * Has Python run files in the form of the published vectors, all of them in one process.
 *
 * @returns exit status, standard error, the lines that tell of a difference, and how many of a kind agreed
 */
export function runVectors(folder: string, identities: object, files: VectorFiles) {
  const none = { positive: [], negative: [], armor: { positive: [], negative: [] } }
  const form = { format: 'sealpool/sealed-file-vectors', version: 1 }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'vectors.json'), JSON.stringify({ ...form, identities, ...none, ...files }))
  const { status, stdout, stderr } = run(['vectors', folder])
  const lines = stdout.toString().split('\n')
  return {
    status,
    stderr,
    differences: lines.filter((line) => line !== '' && !line.endsWith(' agree, 0 differ')),
    agreed: (kind: string): number =>
      Number(
        lines
          .find((line) => line.startsWith(`${kind}: `))
          ?.split(' ')
          .at(-4) ?? 0,
      ),
  }
}
