/** What a pattern means, before it is compiled. Code points throughout. */
export type Node =
  | { readonly kind: 'empty' }
  | {
      readonly kind: 'set'
      readonly ranges: readonly (readonly [number, number])[]
      readonly negated: boolean
    }
  | { readonly kind: 'assert'; readonly what: 'start' | 'end' | 'boundary' | 'inside' }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'group'; readonly index: number; readonly body: Node }
  | {
      readonly kind: 'repeat'
      readonly body: Node
      readonly least: number
      readonly most: number
      readonly greedy: boolean
    }

/** A pattern that this engine does not take. The message quotes no input, only what the pattern needs. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/** Largest count in `{m,n}`; nested counts are bounded by the size of the compiled program. */
const MOST_REPEATS = 1000
const DEEPEST = 100

const digit = [[48, 57]] as const
const word = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
] as const
const space = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x2028, 0x2029],
  [0xfeff, 0xfeff],
] as const
const classes: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  d: digit,
  w: word,
  s: space,
}
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 }

/**
 * Parses a pattern in the part of ECMAScript's syntax that needs no backtracking: literals, `.`, classes, `\d \w \s` (ASCII
 * digits and words), `^ $ \b \B`, groups, alternation, and quantifiers. Back references and look-around are refused.
 *
 * @param pattern at most 10,000 characters
 * @returns the tree and the number of capturing groups
 * @throws PatternError for anything else
 */
export function parsePattern(
  pattern: string,
  flags: { readonly dotAll: boolean },
): { readonly root: Node; readonly groups: number } {
  if (pattern.length > 10_000) throw new PatternError('a pattern has at most 10,000 characters')
  const points = [...pattern]
  let at = 0
  let groups = 0
  let depth = 0

  const peek = (): string | undefined => points[at]
  const fail = (what: string): never => {
    throw new PatternError(`${what} at character ${at} of the pattern`)
  }

  function choice(): Node {
    if (++depth > DEEPEST) fail('groups nest too deep')
    const options = [sequence()]
    while (peek() === '|') {
      at++
      options.push(sequence())
    }
    depth--
    const [only] = options
    return options.length === 1 && only !== undefined ? only : { kind: 'choice', options }
  }

  function sequence(): Node {
    const parts: Node[] = []
    for (let next = peek(); next !== undefined && next !== '|' && next !== ')'; next = peek()) {
      parts.push(quantified())
    }
    const [only] = parts
    if (only === undefined) return { kind: 'empty' }
    return parts.length === 1 ? only : { kind: 'sequence', parts }
  }

  function quantified(): Node {
    const body = atom()
    const bounds = quantifier()
    if (bounds === undefined) return body
    if (body.kind === 'assert') fail('a quantifier needs something to repeat')
    const greedy = peek() !== '?'
    if (!greedy) at++
    if (quantifier() !== undefined) fail('two quantifiers stand side by side')
    return { kind: 'repeat', body, least: bounds[0], most: bounds[1], greedy }
  }

  function quantifier(): readonly [number, number] | undefined {
    const next = peek()
    if (next === '*' || next === '+' || next === '?') {
      at++
      return next === '*' ? [0, Infinity] : next === '+' ? [1, Infinity] : [0, 1]
    }
    if (next !== '{') return undefined
    const match = /^\{(\d{1,4})(?:(,)(\d{0,4}))?\}/.exec(points.slice(at, at + 12).join(''))
    if (match === null) return fail('a brace that is no quantifier must be escaped')
    const [whole, low = '0', comma, high] = match
    at += whole.length
    const least = Number(low)
    const most = comma === undefined ? least : high === '' ? Infinity : Number(high)
    if (least > MOST_REPEATS || (most !== Infinity && most > MOST_REPEATS)) fail('a count is above 1,000')
    if (most < least) fail('a count runs backwards')
    return [least, most]
  }

  function atom(): Node {
    const next = points[at++]
    switch (next) {
      case '(':
        return group()
      case '[':
        return set()
      case '.':
        return flags.dotAll
          ? { kind: 'set', ranges: [[0, 0x10ffff]], negated: false }
          : {
              kind: 'set',
              ranges: [
                [10, 10],
                [13, 13],
                [0x2028, 0x2029],
              ],
              negated: true,
            }
      case '^':
        return { kind: 'assert', what: 'start' }
      case '$':
        return { kind: 'assert', what: 'end' }
      case '\\':
        return escaped()
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        at--
        return fail(`"${next}" must be escaped here`)
      default:
        return single(next?.codePointAt(0) ?? 0)
    }
  }

  function group(): Node {
    let index = -1
    if (peek() === '?') {
      if (points[at + 1] !== ':') fail('look-around and named groups are not taken')
      at += 2
    } else {
      index = ++groups
      if (groups > 50) fail('more than 50 groups')
    }
    const body = choice()
    if (points[at++] !== ')') fail('a group is not closed')
    return index === -1 ? body : { kind: 'group', index, body }
  }

  function escaped(): Node {
    const next = peek()
    if (next === 'b' || next === 'B') {
      at++
      return { kind: 'assert', what: next === 'b' ? 'boundary' : 'inside' }
    }
    const known = next === undefined ? undefined : classes[next.toLowerCase()]
    if (next !== undefined && known !== undefined && Object.hasOwn(classes, next.toLowerCase())) {
      at++
      return { kind: 'set', ranges: known, negated: next !== next.toLowerCase() }
    }
    return single(escapedPoint())
  }

  function escapedPoint(): number {
    const next = points[at++]
    if (next === undefined) return fail('a backslash stands at the end')
    if (next === 'x' || next === 'u') {
      const braced = next === 'u' && peek() === '{'
      const text = points.slice(at, at + 10).join('')
      const match = (
        braced ? /^\{([0-9a-f]{1,6})\}/i : next === 'x' ? /^([0-9a-f]{2})/i : /^([0-9a-f]{4})/i
      ).exec(text)
      const value = match === null ? Infinity : Number.parseInt(match[1] ?? '', 16)
      if (value > 0x10ffff) return fail('an escape is no code point')
      at += match?.[0].length ?? 0
      return value
    }
    if (Object.hasOwn(controls, next)) return controls[next] ?? 0
    if (/[0-9A-Za-z]/.test(next)) return fail('this escape is not taken (no back references)')
    return next.codePointAt(0) ?? 0
  }

  function set(): Node {
    const negated = peek() === '^'
    if (negated) at++
    const ranges: (readonly [number, number])[] = []
    while (peek() !== ']') {
      const low = member(ranges)
      if (low === undefined || peek() !== '-' || points[at + 1] === ']') {
        if (low !== undefined) ranges.push([low, low])
        continue
      }
      at++
      const high = member(ranges)
      if (high === undefined || high < low) return fail('a range in a class is none')
      ranges.push([low, high])
    }
    at++
    return { kind: 'set', ranges, negated }
  }

  /** One code point of a class, or nothing after a `\d`-like member was added. */
  function member(ranges: (readonly [number, number])[]): number | undefined {
    const next = points[at++]
    if (next === undefined) return fail('a class is not closed')
    if (next !== '\\') return next.codePointAt(0)
    const name = peek() ?? ''
    if (name === 'b') {
      at++
      return 8
    }
    const lower = name.toLowerCase()
    if (!Object.hasOwn(classes, lower)) return escapedPoint()
    at++
    const known = classes[lower] ?? []
    ranges.push(...(name === lower ? known : complement(known)))
    return undefined
  }

  const root = choice()
  if (at < points.length) fail('a closing bracket has no opening one')
  return { root, groups }
}

function single(point: number): Node {
  return { kind: 'set', ranges: [[point, point]], negated: false }
}

function complement(ranges: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const rest: (readonly [number, number])[] = []
  let from = 0
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (low > from) rest.push([from, low - 1])
    from = high + 1
  }
  rest.push([from, 0x10ffff])
  return rest
}
