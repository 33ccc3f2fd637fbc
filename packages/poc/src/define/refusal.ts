/** Thrown by a parser or check to refuse the contribution with a named reason; see {@link refuse}. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** UPPER_SNAKE reason. */
  readonly code: string
  /** Where in the file, never a value. */
  readonly place: string

  /**
   * @param code UPPER_SNAKE reason
   * @param place where in the file
   */
  constructor(code: string, place: string) {
    super(code)
    this.code = code
    this.place = place
  }
}

/** Code of a refusal whose own code is no UPPER_SNAKE word of the approved code: it may be a value of the file. */
export const UNNAMED_REFUSAL = 'UNNAMED_REFUSAL'

/**
 * Refuses the contribution from inside a parser or a check.
 *
 * @param code UPPER_SNAKE reason, written out in the code: a verdict holds no text that the approved code does not
 * @param place where in the file, for example `rows[3].wage`
 * @throws Refusal always
 */
export function refuse(code: string, place: string): never {
  throw new Refusal(code, place)
}
