/** A fault of the node that chaos has found and that is open, so that no run hides it. */
export interface KnownFault {
  readonly text: string
  /** The breaches that this fault makes, where one can tell: they are printed and counted, and end no run with 1. */
  readonly makes?: { readonly state: string; readonly breach: RegExp }
}

/** Faults that are open. Whoever mends one takes it out here. */
export const knownFaults: readonly KnownFault[] = []
