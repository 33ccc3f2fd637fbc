import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  type AttestationPolicy,
  parseReceiptBundle,
  type ReceiptDeployment,
  verifyReceipt,
} from '@sealpool/attest'
import type { ReceiptBundleAnswer } from '@sealpool/client'
import { canonicalBytes, type JsonValue } from '@sealpool/crypto'

/** The auditor's command, as anybody would install it. */
export const verifyCommand = createRequire(import.meta.url)
  .resolve('@sealpool/attest')
  .replace(/index\.js$/, 'cli/sealpool-verify.js')

/** Writes the files of a receipt bundle: all that an auditor needs. */
export function writeBundle(options: {
  readonly folder: string
  readonly bundle: ReceiptBundleAnswer
  readonly result?: { readonly bytes: Uint8Array; readonly sealed: Uint8Array } | undefined
}): void {
  const { folder, bundle, result } = options
  mkdirSync(folder, { recursive: true })
  const write = (name: string, value: JsonValue) => writeFileSync(join(folder, name), canonicalBytes(value))
  write('receipt.json', bundle.receipt)
  write('evidence.json', bundle.evidence)
  if (bundle.manifest !== null) write('manifest.json', bundle.manifest)
  if (bundle.plan !== null) write('plan.json', bundle.plan)
  for (const [pool, policy] of Object.entries(bundle.policies)) write(`policy-${pool}.json`, policy)
  for (const [pool, verdicts] of Object.entries(bundle.verdicts)) write(`verdicts-${pool}.json`, verdicts)
  if (result !== undefined) {
    writeFileSync(join(folder, 'result.json'), result.bytes)
    writeFileSync(join(folder, 'result.sealed'), result.sealed)
  }
}

/** Runs the auditor's command on a folder: from files alone, in a process of its own. */
export function verifyFolder(options: {
  readonly folder: string
  readonly policyFile: string
  readonly deploymentFile: string
}): {
  readonly ok: boolean
  readonly output: string
} {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      verifyCommand,
      'receipt',
      options.folder,
      '--policy',
      options.policyFile,
      '--deployment',
      options.deploymentFile,
    ],
    { encoding: 'utf8', env: {} },
  )
  return { ok: status === 0, output: `${stdout}${stderr}` }
}

/** Flips one bit at places all over a bundle's files and counts how many of the flips the verification notices. */
export function flipBits(options: {
  readonly folder: string
  readonly deployment: ReceiptDeployment
  readonly trust: AttestationPolicy
  readonly at: Date
  readonly perFile: number
}): { readonly flipped: number; readonly detected: number } {
  const files = Object.fromEntries(
    readdirSync(options.folder).map((name) => [
      name,
      new Uint8Array(readFileSync(join(options.folder, name))),
    ]),
  )
  const accepted = (changed: Readonly<Record<string, Uint8Array>>) => {
    try {
      const { deployment, trust, at } = options
      return verifyReceipt({ ...parseReceiptBundle(changed), deployment, trust, at }).ok
    } catch {
      return false
    }
  }
  if (!accepted(files)) throw new Error('the untouched bundle does not verify')
  let flipped = 0
  let detected = 0
  for (const [name, bytes] of Object.entries(files)) {
    for (let index = 0; index < options.perFile; index += 1) {
      const place = Math.floor(((index + 0.5) * bytes.length) / options.perFile)
      const changed = bytes.slice()
      changed[place] = (changed[place] ?? 0) ^ (1 << (index % 8))
      flipped += 1
      if (!accepted({ ...files, [name]: changed })) detected += 1
    }
  }
  return { flipped, detected }
}
