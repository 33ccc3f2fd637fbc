import type { IsvLevel, QeIdentity, TcbInfo, TcbLevel, TdxModule } from './collateral.js'
import type { PckPlatform } from './pck-extension.js'
import {
  convergeTcbStatus,
  partStatuses,
  relaunchTcbStatus,
  type TcbStatus,
  type VerdictTcbStatus,
} from './tcb-status.js'

/** Levels ordered as Intel's library orders them: highest SVNs first, whatever the order in the document. */
function sortLevels(levels: readonly TcbLevel[]): TcbLevel[] {
  const key = (level: TcbLevel) => [...level.sgxComponents, ...level.tdxComponents, level.pceSvn]
  return [...levels].sort((a, b) => {
    const left = key(a)
    const right = key(b)
    for (let i = 0; i < left.length; i += 1) {
      const difference = (right[i] ?? 0) - (left[i] ?? 0)
      if (difference !== 0) return difference
    }
    return 0
  })
}

/**
 * The first level, from the highest down, that a platform reaches: all 16 SGX components and PCESVN, and for TDX the TDX
 * components too. When the module's major version (`teeTcbSvn[1]`) is above zero, components 0 and 1 belong to the module's
 * own identity and the comparison starts at index 2.
 *
 * @param info TCB info of the platform
 * @param platform facts from the PCK certificate
 * @param teeTcbSvn 16 bytes from the TD report; undefined for SGX
 * @returns the level, or undefined when the platform reaches none (TCB_NOT_SUPPORTED)
 */
export function matchTcbLevel(
  info: TcbInfo,
  platform: PckPlatform,
  teeTcbSvn: Uint8Array | undefined,
): TcbLevel | undefined {
  return sortLevels(info.levels).find((level) => {
    if (level.sgxComponents.some((svn, i) => (platform.sgxComponents[i] ?? -1) < svn)) return false
    if (platform.pceSvn < level.pceSvn) return false
    if (teeTcbSvn === undefined) return true
    const start = (teeTcbSvn[1] ?? 0) > 0 ? 2 : 0
    return level.tdxComponents.every((svn, i) => i < start || (teeTcbSvn[i] ?? -1) >= svn)
  })
}

/**
 * The first level, from the highest down, that an SVN reaches.
 *
 * @returns the level, or undefined when there is none
 */
function matchIsvLevel(levels: readonly IsvLevel[], isvSvn: number): IsvLevel | undefined {
  return [...levels].sort((a, b) => b.isvSvn - a.isvSvn).find((level) => level.isvSvn <= isvSvn)
}

/**
 * The identity that a TDX module must have: `TDX_<major version>` when the major version is above zero, else the base module.
 *
 * @param info TCB info for TDX
 * @param teeTcbSvn 16 bytes from the TD report
 * @returns the identity, or undefined when Intel publishes none for that version
 */
export function tdxModuleFor(info: TcbInfo, teeTcbSvn: Uint8Array): TdxModule | undefined {
  const major = teeTcbSvn[1] ?? 0
  if (major === 0) return info.baseModule
  const id = `TDX_${major.toString(16).toUpperCase().padStart(2, '0')}`
  return info.modules.find((module) => module.id.toUpperCase() === id)
}

/** Result of one TCB evaluation, with the parts that led to it. */
export interface TcbEvaluation {
  readonly status: VerdictTcbStatus
  readonly platform: TcbLevel | undefined
  readonly qe: IsvLevel | undefined
  /** Undefined for SGX, for TDX modules of major version 0, and when no level is reached. */
  readonly module: IsvLevel | undefined
  /** The oldest TCB date of all parts, ISO; undefined when a part has no level. */
  readonly tcbDate: string | undefined
  /** Advisories of all parts, sorted, each once. */
  readonly advisories: readonly string[]
  /** What is short, in plain words; empty when everything is up to date. */
  readonly shortfall: readonly string[]
}

/**
 * Evaluates platform, quoting enclave and TDX module together, as Intel's quote verification library does; for TDX 1.5 also
 * what a relaunch would give.
 *
 * @param input authenticated TCB info and QE identity, PCK facts, the QE report's ISV SVN, and the SVNs of the TD report
 * @returns status, dates, advisories and an explanation
 */
export function evaluateTcb(input: {
  readonly info: TcbInfo
  readonly identity: QeIdentity
  readonly platform: PckPlatform
  readonly qeIsvSvn: number
  readonly teeTcbSvn: Uint8Array | undefined
  readonly teeTcbSvn2: Uint8Array | undefined
}): TcbEvaluation {
  const launch = evaluateOnce(input, input.teeTcbSvn)
  if (input.teeTcbSvn2 === undefined || launch.converged === undefined) return launch.evaluation
  const current = evaluateOnce(input, input.teeTcbSvn2)
  if (current.converged === undefined) return current.evaluation
  return { ...launch.evaluation, status: relaunchTcbStatus(launch.converged, current.converged) }
}

function evaluateOnce(
  input: Parameters<typeof evaluateTcb>[0],
  teeTcbSvn: Uint8Array | undefined,
): { evaluation: TcbEvaluation; converged: TcbStatus | undefined } {
  const { info, identity, platform: pck, qeIsvSvn } = input
  const platform = matchTcbLevel(info, pck, teeTcbSvn)
  const qe = matchIsvLevel(identity.levels, qeIsvSvn)
  const hasModule = teeTcbSvn !== undefined && (teeTcbSvn[1] ?? 0) > 0
  const moduleIdentity = hasModule ? tdxModuleFor(info, teeTcbSvn) : undefined
  const module = hasModule ? matchIsvLevel(moduleIdentity?.levels ?? [], teeTcbSvn[0] ?? 0) : undefined
  const shortfall = [
    ...platformShortfall(info, pck, teeTcbSvn, platform),
    ...isvShortfall('Quoting enclave', identity.levels, qeIsvSvn, qe),
    ...(hasModule ? isvShortfall('TDX module', moduleIdentity?.levels ?? [], teeTcbSvn[0] ?? 0, module) : []),
  ]
  const known =
    platform !== undefined &&
    qe !== undefined &&
    partStatuses.qe.includes(qe.status) &&
    (!hasModule || (module !== undefined && partStatuses.module.includes(module.status)))
  if (!known) {
    const evaluation: TcbEvaluation = {
      status: 'TCB_NOT_SUPPORTED',
      platform,
      qe,
      module,
      tcbDate: undefined,
      advisories: [],
      shortfall,
    }
    return { evaluation, converged: undefined }
  }
  const parts = module === undefined ? [qe] : [qe, module]
  const converged = convergeTcbStatus(
    platform.status,
    parts.map((part) => part.status),
  )
  const all = [platform, ...parts]
  const evaluation: TcbEvaluation = {
    status: converged,
    platform,
    qe,
    module,
    tcbDate: all.map((part) => part.tcbDate).sort()[0],
    advisories: [...new Set(all.flatMap((part) => part.advisories))].sort(),
    shortfall,
  }
  return { evaluation, converged }
}

/** Names each component below the best level, with the value it has and the value it needs. */
function platformShortfall(
  info: TcbInfo,
  pck: PckPlatform,
  teeTcbSvn: Uint8Array | undefined,
  matched: TcbLevel | undefined,
): string[] {
  if (matched?.status === 'UpToDate') return []
  const best = sortLevels(info.levels)[0]
  if (best === undefined) return []
  const lacking: string[] = []
  const compare = (name: string, has: number, needs: number) => {
    if (has < needs) lacking.push(`${name} is ${has}, needs ${needs} since ${best.tcbDate.slice(0, 10)}`)
  }
  best.sgxComponents.forEach((needs, i) => {
    compare(`SGX component ${i + 1} SVN`, pck.sgxComponents[i] ?? 0, needs)
  })
  compare('PCE SVN', pck.pceSvn, best.pceSvn)
  const start = (teeTcbSvn?.[1] ?? 0) > 0 ? 2 : 0
  best.tdxComponents.forEach((needs, i) => {
    if (teeTcbSvn !== undefined && i >= start) compare(`TDX component ${i + 1} SVN`, teeTcbSvn[i] ?? 0, needs)
  })
  return lacking
}

function isvShortfall(
  name: string,
  levels: readonly IsvLevel[],
  has: number,
  matched: IsvLevel | undefined,
): string[] {
  if (matched?.status === 'UpToDate') return []
  const best = [...levels].sort((a, b) => b.isvSvn - a.isvSvn)[0]
  if (best === undefined) return [`${name}: Intel publishes no level for it`]
  return [`${name} SVN is ${has}, needs ${best.isvSvn} since ${best.tcbDate.slice(0, 10)}`]
}
