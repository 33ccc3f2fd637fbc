import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { verifyAmdMaterial } from '../amd/verify-material.js'
import { AttestError } from '../errors.js'
import { verifyCollateral } from '../intel/verify-collateral.js'
import type { VerifySignature } from '../signature/port.js'
import { type Check, checkList, fail, notChecked, pass } from '../verdict/check-list.js'
import { amdName, type CollateralBundle } from './bundle.js'

/** What one entry of a bundle is worth. */
export interface BundleEntryVerdict {
  readonly name: string
  readonly ok: boolean
  readonly simulated: boolean
  readonly checks: readonly Check[]
  /** ISO; the earliest moment at which a part goes stale, null when nothing could be read. */
  readonly nextUpdate: string | null
}

/** The questions about an entry as a whole; those about its content come from the verifiers. */
const entryTitles = {
  readable: 'The entry can be read',
  label: 'The entry is what it is labelled as: a verifier would ask for it by that name',
} as const

interface BundleQuestion {
  readonly at: Date
  readonly trustedRoots: readonly `sha256:${string}`[]
  readonly verifySignature?: VerifySignature
}

/**
 * Verifies every entry of a bundle, Intel's and AMD's, and that each is what its label says.
 *
 * @param bundle from `collateralBundleSchema`
 * @param question the moment for which the answer holds, and the roots that are trusted besides the vendors'
 * @returns one verdict per entry, in the bundle's order
 * @throws AttestError `BAD_ARGUMENT` when the moment is not a valid date
 */
export function verifyBundle(bundle: CollateralBundle, question: BundleQuestion): BundleEntryVerdict[] {
  return [
    ...bundle.intel.map((entry) => intelEntry(entry, question)),
    ...bundle.amd.map((entry) => amdEntry(entry, question)),
  ]
}

function intelEntry(
  { tee, fmspc, ca, collateral }: CollateralBundle['intel'][number],
  question: BundleQuestion,
): BundleEntryVerdict {
  const name = `${tee.toUpperCase()} ${fmspc} (${ca})`
  try {
    const { about, ...verdict } = verifyCollateral(collateral, question)
    const same = about.tee === tee && about.fmspc === fmspc && about.ca === ca
    const holds = `${about.tee?.toUpperCase() ?? 'mixed'} ${about.fmspc} (${about.ca ?? 'unknown issuer'})`
    return labelled({ ...verdict, name }, same, holds)
  } catch (error) {
    return unreadable(name, error)
  }
}

function amdEntry(
  { name, certificates, crl }: CollateralBundle['amd'][number],
  question: BundleQuestion,
): BundleEntryVerdict {
  const bytes = (hex: string) => hexToBytes(hex.slice(2))
  const { facts, ...verdict } = verifyAmdMaterial(
    { certificates: certificates.map(bytes), crl: bytes(crl) },
    question,
  )
  if (facts === null) return labelled({ ...verdict, name: `AMD ${name}` }, undefined, '')
  // A VLEK names no chip, so that no request has its name.
  const chip = facts.hwid
  const content = chip && amdName({ line: facts.line, hwid: bytesToHex(chip), tcb: facts.tcb })
  return labelled({ ...verdict, name: `AMD ${name}` }, content === name, content ?? 'no chip’s certificate')
}

function labelled(
  verdict: BundleEntryVerdict,
  same: boolean | undefined,
  content: string,
): BundleEntryVerdict {
  const checks = checkList({ label: entryTitles.label })
  checks.run('label', [], () => {
    if (same === undefined) return notChecked('There is nothing to hold it against.')
    return same ? pass('It is.') : fail(`it holds ${content}`)
  })
  return { ...verdict, ok: verdict.ok && checks.ok(), checks: [...verdict.checks, ...checks.list()] }
}

function unreadable(name: string, error: unknown): BundleEntryVerdict {
  if (!(error instanceof AttestError) || error.code === 'BAD_ARGUMENT') throw error
  const checks = checkList({ readable: entryTitles.readable })
  checks.run('readable', [], () => fail(error.message))
  return { name, ok: false, simulated: true, checks: checks.list(), nextUpdate: null }
}
