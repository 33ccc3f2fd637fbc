/** Faults of the node that chaos has found and that are open, so that no run hides them. */
export const knownFaults: readonly string[] = [
  'sealpool-node start --stop-with-stdin does not end on SIGTERM while its standard input stays open; chaos closes it',
  'with a second endpoint, two reads at once that are answered in the other order are taken for a chain that went back (CHAIN_STALE); the round is tried again',
]
