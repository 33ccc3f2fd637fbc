/** What a refusal is about, in the words of AR4SI (draft-ietf-rats-ar4si). */
export type RefusalSubject =
  | 'instance-identity'
  | 'hardware'
  | 'executables'
  | 'configuration'
  | 'runtime-opaque'

/** Why a policy does not accept what is proved. */
export interface Refusal {
  readonly about: RefusalSubject
  /** In plain words. */
  readonly reason: string
}

/**
 * Refusals of one subject.
 *
 * @param about what all of them are about
 * @param reasons in plain words, possibly none
 * @returns one refusal per reason
 */
export function refusalsAbout(about: RefusalSubject, reasons: readonly string[]): Refusal[] {
  return reasons.map((reason) => ({ about, reason }))
}
