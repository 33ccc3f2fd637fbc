/**
 * Takes all steps of a verification one behind the other, for whoever has nothing else to do meanwhile.
 *
 * @param steps a message or a record each
 * @returns what they come to
 */
export function runSteps<Found>(steps: Generator<void, Found>): Found {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
