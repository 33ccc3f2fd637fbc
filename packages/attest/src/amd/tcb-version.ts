import type { SnpProductLine } from '../trust-anchor/amd.js'

/** Security patch levels of a platform's firmware, each 0 to 255. */
export type SnpTcb = {
  /** Turin only. */
  fmc?: number
  bootloader: number
  tee: number
  snp: number
  microcode: number
}

/** Where each level stands in the eight bytes of a TCB_VERSION (SEV-SNP ABI 1.58, table 3). */
const places = {
  Milan: { bootloader: 0, tee: 1, snp: 6, microcode: 7 },
  Genoa: { bootloader: 0, tee: 1, snp: 6, microcode: 7 },
  Turin: { fmc: 0, bootloader: 1, tee: 2, snp: 3, microcode: 7 },
} as const

/** Names of the levels, in the order in which they are told. */
export const tcbComponents = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const

/**
 * Reads a TCB_VERSION.
 *
 * @param bytes eight bytes as they stand in the report
 * @param line decides the order of the bytes
 */
export function readTcb(bytes: Uint8Array, line: SnpProductLine): SnpTcb {
  const at = (place: number) => bytes[place] ?? 0
  const { bootloader, tee, snp, microcode } = places[line]
  const rest = { bootloader: at(bootloader), tee: at(tee), snp: at(snp), microcode: at(microcode) }
  return line === 'Turin' ? { fmc: at(places.Turin.fmc), ...rest } : rest
}

/** Whether bytes of a TCB_VERSION that have no meaning for this line are all zero. */
export function tcbPaddingIsZero(bytes: Uint8Array, line: SnpProductLine): boolean {
  const used: readonly number[] = Object.values(places[line])
  return bytes.every((octet, place) => octet === 0 || used.includes(place))
}

/**
 * Names each level of `has` that is below `needs`.
 *
 * @returns for example `microcode is 209, needs 219`
 */
export function tcbShortfall(has: SnpTcb, needs: SnpTcb): string[] {
  return tcbComponents.flatMap((name) => {
    const [have, want] = [has[name] ?? 0, needs[name] ?? 0]
    return have < want ? [`${name} is ${have}, needs ${want}`] : []
  })
}
