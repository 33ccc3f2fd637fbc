import type { Digest } from '@sealpool/crypto'

/** An export as an app has it before anything leaves the machine: what `ContributionInput` of `@sealpool/client` says of it. */
export interface PreflightExport {
  readonly bytes: Uint8Array
  readonly mediaType: string
  /** Digest of the table schema that it is contributed under, where that is known. */
  readonly schemaId?: Digest
}

/**
 * What a check found, in the form of `PreflightFinding` of `@sealpool/client`. It is for the contributor's own screen: it names rows, columns
 * and fields of the export, never a value.
 */
export interface PreflightFinding {
  readonly id: string
  readonly title: string
  /** `warn` is told and does not stop. */
  readonly result: 'pass' | 'warn' | 'fail'
  /** For people, one line for each thing. */
  readonly detail: string
}

/** How far a check is; it waits for what `onProgress` gives, so that a page can draw in between. */
export interface PreflightProgress {
  /** Records looked at. */
  readonly records: number
}

/** Told while a check goes on. */
export type OnPreflightProgress = (progress: PreflightProgress) => void | Promise<void>
