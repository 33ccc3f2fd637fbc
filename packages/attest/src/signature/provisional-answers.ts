let given = 0

/**
 * True without knowing, so that a verification goes on and shows which signatures it needs. Every one is counted, because what
 * is made meanwhile may be kept by whoever asked. All of it is synchronous, so the count is exact.
 */
export function provisionalAnswer(): true {
  given += 1
  return true
}

/** How many there were: what is made while the number rises rests on answers that are none. */
export function provisionalAnswers(): number {
  return given
}
