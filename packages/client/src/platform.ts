/** The platform's timer. */
export function platformWait(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}

/** The platform's clock: the default of options named `now`. */
export function platformNow(): Date {
  return new Date()
}
