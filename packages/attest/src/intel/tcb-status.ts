/** TCB statuses that Intel writes into TCB info and identities. */
export type TcbStatus =
  | 'UpToDate'
  | 'SWHardeningNeeded'
  | 'ConfigurationNeeded'
  | 'ConfigurationAndSWHardeningNeeded'
  | 'OutOfDate'
  | 'OutOfDateConfigurationNeeded'
  | 'Revoked'

/** Statuses that a verification can end with: Intel's levels, no level at all, and the two relaunch advices of TDX 1.5. */
export type VerdictTcbStatus =
  | TcbStatus
  | 'TCB_NOT_SUPPORTED'
  | 'TD_RELAUNCH_ADVISED'
  | 'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED'

/** Every {@link VerdictTcbStatus}. */
export const verdictTcbStatuses = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
  'TCB_NOT_SUPPORTED',
  'TD_RELAUNCH_ADVISED',
  'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED',
] as const satisfies readonly VerdictTcbStatus[]

/**
 * Merges the platform's status with those of its parts as Intel's library does: only OutOfDate and Revoked of a part count;
 * a part in need of configuration changes nothing.
 *
 * @param platform status of the matched platform level
 * @param parts statuses of the quoting enclave and of the TDX module
 * @returns the converged status
 */
export function convergeTcbStatus(platform: TcbStatus, parts: readonly TcbStatus[]): TcbStatus {
  // A platform that is revoked stays so by the last line.
  if (parts.includes('Revoked')) return 'Revoked'
  if (!parts.includes('OutOfDate')) return platform
  switch (platform) {
    case 'UpToDate':
    case 'SWHardeningNeeded':
      return 'OutOfDate'
    case 'ConfigurationNeeded':
    case 'ConfigurationAndSWHardeningNeeded':
      return 'OutOfDateConfigurationNeeded'
    default:
      return platform
  }
}

/** Statuses that Intel's library knows for a quoting enclave and for a TDX module; with any other there is no level. */
export const partStatuses: { readonly qe: readonly TcbStatus[]; readonly module: readonly TcbStatus[] } = {
  qe: ['UpToDate', 'ConfigurationNeeded', 'OutOfDate', 'OutOfDateConfigurationNeeded', 'Revoked'],
  module: ['UpToDate', 'OutOfDate', 'Revoked'],
}

/**
 * TDX 1.5: compares the status at launch with the status that a relaunch would have now.
 *
 * @param launch converged status for TEE_TCB_SVN
 * @param current converged status for TEE_TCB_SVN2
 * @returns the launch status, or the advice to relaunch when that alone would mend it
 */
export function relaunchTcbStatus(launch: TcbStatus, current: TcbStatus): VerdictTcbStatus {
  const launchBehind = launch === 'OutOfDate' || launch === 'OutOfDateConfigurationNeeded'
  const currentGood =
    current === 'UpToDate' ||
    current === 'SWHardeningNeeded' ||
    current === 'ConfigurationNeeded' ||
    current === 'ConfigurationAndSWHardeningNeeded'
  if (!launchBehind || !currentGood) return launch
  const configuration =
    launch === 'OutOfDateConfigurationNeeded' ||
    current === 'ConfigurationNeeded' ||
    current === 'ConfigurationAndSWHardeningNeeded'
  return configuration ? 'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED' : 'TD_RELAUNCH_ADVISED'
}
