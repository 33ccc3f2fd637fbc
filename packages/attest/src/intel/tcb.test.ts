import { hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import type { QeIdentity, TcbInfo, TcbLevel } from './collateral.js'
import type { PckPlatform } from './pck-extension.js'
import { evaluateTcb, matchTcbLevel, tdxModuleFor } from './tcb.js'
import { convergeTcbStatus, relaunchTcbStatus, type TcbStatus } from './tcb-status.js'

const sixteen = (...svns: number[]) => [...svns, ...new Array<number>(16 - svns.length).fill(0)]
const level = (
  status: TcbStatus,
  sgx: number[],
  tdx: number[],
  pceSvn = 5,
  tcbDate = '2025-01-01T00:00:00Z',
): TcbLevel => ({
  sgxComponents: sixteen(...sgx),
  tdxComponents: sixteen(...tdx),
  pceSvn,
  status,
  tcbDate,
  advisories: status === 'UpToDate' ? [] : [`INTEL-${status}`],
})
const platform: PckPlatform = { fmspc: '00', pceId: '0000', pceSvn: 5, sgxComponents: sixteen(3, 3) }
const module = (id: string, ...levels: [number, TcbStatus][]) => ({
  id,
  mrSigner: '',
  attributes: '',
  attributesMask: '',
  levels: levels.map(([isvSvn, status]) => ({
    isvSvn,
    status,
    tcbDate: '2024-06-01T00:00:00Z',
    advisories: status === 'UpToDate' ? [] : ['INTEL-MODULE'],
  })),
})
const info = (levels: TcbLevel[], modules: ReturnType<typeof module>[] = []): TcbInfo => ({
  id: 'TDX',
  version: 3,
  issueDate: '',
  nextUpdate: '',
  fmspc: '00',
  pceId: '0000',
  tcbEvaluationDataNumber: 1,
  baseModule: module(''),
  modules,
  levels,
})
const identity = (...levels: [number, TcbStatus][]) =>
  ({ levels: module('', ...levels).levels }) as unknown as QeIdentity
const notSupported = ['TCB_NOT_SUPPORTED', 'TCB_NOT_SUPPORTED'] as const
const svn = (hex: string) => hexToBytes(hex.padEnd(32, '0'))

describe('matchTcbLevel', () => {
  it('searches from the highest level down, whatever the order in the document', () => {
    const low = level('OutOfDate', [1], [1])
    const high = level('UpToDate', [3], [1])
    expect(matchTcbLevel(info([low, high]), platform, svn('0501'))?.status).toBe('UpToDate')
  })

  it('compares every component and PCESVN as numbers', () => {
    const needs = (sgx: number[], pce = 5) =>
      matchTcbLevel(info([level('UpToDate', sgx, [], pce)]), platform, svn('0500'))
    expect(needs([3, 3])).toBeDefined()
    expect(needs([3, 4])).toBeUndefined()
    expect(needs([3, 3, 1])).toBeUndefined()
    expect(needs([3, 3], 6)).toBeUndefined()
    // As byte strings 0x0a would sort below 0x9; the SVN 10 must reach 9.
    const ten = { ...platform, sgxComponents: sixteen(10) }
    expect(matchTcbLevel(info([level('UpToDate', [9], [])]), ten, undefined)).toBeDefined()
  })

  it('compares TDX components from index 2 when the module has a major version, else from 0', () => {
    const levels = info([level('UpToDate', [1], [7, 0, 2])])
    expect(matchTcbLevel(levels, platform, svn('050102'))).toBeDefined()
    expect(matchTcbLevel(levels, platform, svn('050101'))).toBeUndefined()
    expect(matchTcbLevel(levels, platform, svn('050002'))).toBeUndefined()
    expect(matchTcbLevel(levels, platform, svn('070002'))).toBeDefined()
  })
})

describe('tdxModuleFor', () => {
  it('names modules in upper-case hex, and takes the base module for major version 0', () => {
    const levels = info([], [module('TDX_0A'), module('TDX_01')])
    expect(tdxModuleFor(levels, svn('000a'))?.id).toBe('TDX_0A')
    expect(tdxModuleFor(levels, svn('0001'))?.id).toBe('TDX_01')
    expect(tdxModuleFor(levels, svn('0000'))?.id).toBe('')
    expect(tdxModuleFor(levels, svn('0010'))).toBeUndefined()
  })
})

describe('convergeTcbStatus', () => {
  it.each<[TcbStatus, TcbStatus[], TcbStatus]>([
    ['UpToDate', ['UpToDate'], 'UpToDate'],
    ['UpToDate', ['OutOfDate'], 'OutOfDate'],
    ['SWHardeningNeeded', ['UpToDate', 'OutOfDate'], 'OutOfDate'],
    ['ConfigurationNeeded', ['OutOfDate'], 'OutOfDateConfigurationNeeded'],
    ['ConfigurationAndSWHardeningNeeded', ['OutOfDate'], 'OutOfDateConfigurationNeeded'],
    ['OutOfDateConfigurationNeeded', ['OutOfDate'], 'OutOfDateConfigurationNeeded'],
    ['OutOfDate', ['UpToDate'], 'OutOfDate'],
    ['UpToDate', ['Revoked'], 'Revoked'],
    ['Revoked', ['UpToDate'], 'Revoked'],
    ['UpToDate', ['ConfigurationNeeded'], 'UpToDate'],
    ['UpToDate', ['OutOfDate', 'Revoked'], 'Revoked'],
  ])('%s with %j is %s', (platformStatus, parts, expected) => {
    expect(convergeTcbStatus(platformStatus, parts)).toBe(expected)
  })
})

describe('relaunchTcbStatus', () => {
  it.each<[TcbStatus, TcbStatus, string]>([
    ['OutOfDate', 'UpToDate', 'TD_RELAUNCH_ADVISED'],
    ['OutOfDate', 'SWHardeningNeeded', 'TD_RELAUNCH_ADVISED'],
    ['OutOfDate', 'ConfigurationNeeded', 'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED'],
    ['OutOfDateConfigurationNeeded', 'UpToDate', 'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED'],
    ['OutOfDate', 'OutOfDate', 'OutOfDate'],
    ['OutOfDate', 'Revoked', 'OutOfDate'],
    ['UpToDate', 'UpToDate', 'UpToDate'],
    ['Revoked', 'UpToDate', 'Revoked'],
  ])('launched %s, now %s: %s', (launch, current, expected) => {
    expect(relaunchTcbStatus(launch, current)).toBe(expected)
  })
})

describe('evaluateTcb', () => {
  const levels = [
    level('UpToDate', [3], [0, 0, 2]),
    level('OutOfDate', [1], [0, 0, 1], 5, '2023-01-01T00:00:00Z'),
  ]
  const modules = [module('TDX_01', [5, 'UpToDate'], [2, 'OutOfDate'])]
  const evaluate = (teeTcbSvn: string, teeTcbSvn2?: string, qe: [number, TcbStatus][] = [[4, 'UpToDate']]) =>
    evaluateTcb({
      info: info(levels, modules),
      identity: identity(...qe),
      platform,
      qeIsvSvn: 4,
      teeTcbSvn: svn(teeTcbSvn),
      teeTcbSvn2: teeTcbSvn2 === undefined ? undefined : svn(teeTcbSvn2),
    })

  it('is UpToDate with the oldest date and no shortfall when all parts are', () => {
    expect(evaluate('050102')).toMatchObject({
      status: 'UpToDate',
      tcbDate: '2024-06-01T00:00:00Z',
      shortfall: [],
      advisories: [],
    })
  })

  it('merges a module that is behind and says what it needs', () => {
    const result = evaluate('030102')
    expect(result).toMatchObject({ status: 'OutOfDate', advisories: ['INTEL-MODULE'] })
    expect(result.shortfall).toEqual(['TDX module SVN is 3, needs 5 since 2024-06-01'])
  })

  it('names the platform component that is behind', () => {
    const result = evaluate('050101')
    expect(result).toMatchObject({ status: 'OutOfDate', tcbDate: '2023-01-01T00:00:00Z' })
    expect(result.shortfall).toEqual(['TDX component 3 SVN is 1, needs 2 since 2025-01-01'])
  })

  it('is TCB_NOT_SUPPORTED when platform, module or quoting enclave reaches no level', () => {
    expect(evaluate('050100').status).toBe('TCB_NOT_SUPPORTED')
    expect(evaluate('010102').status).toBe('TCB_NOT_SUPPORTED')
    expect(evaluate('050902').status).toBe('TCB_NOT_SUPPORTED')
    expect(evaluate('050102', undefined, [[5, 'UpToDate']]).status).toBe('TCB_NOT_SUPPORTED')
  })

  it('is TCB_NOT_SUPPORTED for statuses that Intel’s library does not know for a part', () => {
    const of = (qe: TcbStatus, part: TcbStatus) =>
      evaluateTcb({
        info: info([level('UpToDate', [1], [1])], [module('TDX_01', [5, part])]),
        identity: identity([5, qe]),
        platform,
        qeIsvSvn: 5,
        teeTcbSvn: svn('050102'),
        teeTcbSvn2: undefined,
      }).status
    expect(of('UpToDate', 'UpToDate')).toBe('UpToDate')
    for (const part of ['SWHardeningNeeded', 'ConfigurationAndSWHardeningNeeded'] as const)
      expect([part, of(part, 'UpToDate'), of('UpToDate', part)]).toEqual([part, ...notSupported])
    for (const part of ['ConfigurationNeeded', 'OutOfDateConfigurationNeeded'] as const)
      expect([part, of('UpToDate', part)]).toEqual([part, 'TCB_NOT_SUPPORTED'])
    expect(of('ConfigurationNeeded', 'UpToDate')).toBe('UpToDate')
    expect(of('Revoked', 'UpToDate')).toBe('Revoked')
  })

  it('advises a relaunch when that alone would mend it, and fails when the second evaluation does', () => {
    expect(evaluate('030102', '050102').status).toBe('TD_RELAUNCH_ADVISED')
    expect(evaluate('050102', '050102').status).toBe('UpToDate')
    expect(evaluate('030102', '010102').status).toBe('TCB_NOT_SUPPORTED')
  })
})
