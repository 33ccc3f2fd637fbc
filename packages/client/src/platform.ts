/** The platform's clock: the default of options named `now`. */
export function platformNow(): Date {
  return new Date()
}
