/**
 * Quotes of this machine through configfs-tsm.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { snpReportLength } from '@sealpool/attest'
import { NodeError } from '../errors.js'
import type { QuoteProvider } from './quote-provider.js'
import { type TsmEntry, type TsmReport, takeTsmReport } from './tsm-report.js'

/** Opens an entry, does something with it and removes it again. */
export type WithTsmEntry = <T>(use: (entry: TsmEntry) => Promise<T>) => Promise<T>

/**
 * Entries of the kernel, each in a folder of its own.
 * @param folder `/sys/kernel/config/tsm/report` on a machine
 * @throws NodeError `QUOTE_FAILED` when the kernel has no such interface
 */
export function kernelTsmEntries(folder: string): WithTsmEntry {
  return async (use) => {
    const path = join(folder, `sealpool-${randomUUID()}`)
    try {
      await mkdir(path)
    } catch (cause) {
      throw new NodeError(
        'QUOTE_FAILED',
        folder,
        'no entry can be made there; is this a TDX or SEV-SNP guest with Linux 6.7 or newer, and configfs mounted?',
        { cause },
      )
    }
    try {
      return await use({
        write: (attribute, bytes) => writeFile(join(path, attribute), bytes),
        async read(attribute, offset) {
          const file = await open(join(path, attribute), 'r')
          try {
            const { bytesRead, buffer } = await file.read(new Uint8Array(16_384), 0, 16_384, offset)
            return buffer.subarray(0, bytesRead)
          } finally {
            await file.close()
          }
        },
      })
    } finally {
      await rmdir(path).catch(() => undefined)
    }
  }
}

/** Takes a report of the machine that this runs on. @throws NodeError `QUOTE_FAILED` */
export function machineReport(entries: WithTsmEntry, reportData: Uint8Array): Promise<TsmReport> {
  return entries((entry) => takeTsmReport(entry, reportData, { tries: 8, pause: () => sleep(50) }))
}

/**
 * Quotes of a TDX guest, or reports of an SEV-SNP guest.
 * @param entries of {@link kernelTsmEntries}
 * @param collateral where a verifier's collateral for a quote comes from
 * @returns the provider
 */
export function tsmQuoteProvider(
  entries: WithTsmEntry,
  collateral: QuoteProvider['collateral'],
): QuoteProvider {
  return {
    name: 'configfs-tsm',
    simulated: false,
    async quote(reportData) {
      const { tee, report } = await machineReport(entries, reportData)
      // What a kernel adds behind an SEV-SNP report is not under its signature.
      return tee === 'sev-snp' ? report.slice(0, snpReportLength) : report
    },
    collateral,
  }
}
