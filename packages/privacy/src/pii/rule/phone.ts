import { digitsOf } from '../check-digit.js'
import type { PiiRule } from '../finding.js'

/** Telephone numbers with their country's code (E.164), in any language. */
export const phoneRules: readonly PiiRule[] = [
  {
    type: 'phone',
    name: 'phone-international',
    pattern:
      /(?<![\p{L}\p{N}+.-])(?:\+ ?|00 ?(?=[1-9]))[1-9](?:[ ./-]{0,2}\(?[0-9]\)?){6,16}(?![\p{L}\p{N}])/gu,
    accept: (match) => {
      const digits = digitsOf(match.replace(/^00/, ''))
      // A row of digits that happens to begin with two zeros is a number of something else.
      const written = match.startsWith('+') || /[ ./-]/.test(match)
      return written && digits.length >= 8 && digits.length <= 15
    },
  },
]
