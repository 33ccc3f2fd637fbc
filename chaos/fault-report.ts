/** What one kind of fault came to. */
export interface FaultReport {
  readonly fault: string
  /** How often it was injected. */
  readonly injected: number
  /** What happened, in words and figures, for people. */
  readonly notes: readonly string[]
  /** What must not happen and did. */
  readonly breaches: readonly string[]
}
