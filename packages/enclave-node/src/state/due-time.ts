/** Nothing is put off for longer, in seconds: a later time is of a clock that was set forward and back again. */
const longestWait = 86_400

/**
 * @param column in which the time of the next try stands, unix seconds
 * @param now parameter of the statement with the present time, such as `$2`
 * @returns SQL that is true for what is to be tried now
 */
export function isDue(column: string, now: string): string {
  return `(${column} <= ${now}::bigint or ${column} > ${now}::bigint + ${longestWait})`
}
