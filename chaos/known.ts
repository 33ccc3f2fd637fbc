/** Faults of the node that chaos has found and that are open, so that no run hides them. */
export const knownFaults: readonly string[] = [
  'with a second endpoint, two reads at once that are answered in the other order are taken for a chain that went back (CHAIN_STALE); the round is tried again',
]
