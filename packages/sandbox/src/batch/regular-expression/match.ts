import type { Program } from './program.js'

/** Where a match and its groups stand: start and end in UTF-16 units by group, -1 for a group that took no part. */
export type Spans = readonly number[]

/**
 * Finds the leftmost match from an index on, preferring as ECMAScript does. The threads of the simulation move through the text
 * in step, so each character is looked at once for each instruction at most.
 *
 * @param program compiled pattern
 * @param text what to look through
 * @param from index in UTF-16 units
 * @param tick called now and then with the work done since; throws when there is no time left
 * @returns spans of the whole match and the groups, or undefined
 */
export function findMatch(
  program: Program,
  text: string,
  from: number,
  tick: (steps: number) => void,
): Spans | undefined {
  const { instructions } = program
  const seen = new Uint32Array(instructions.length)
  let generation = 0
  let steps = 0
  let threads: { at: number; spans: number[] }[] = []
  let next: { at: number; spans: number[] }[] = []
  let found: number[] | undefined
  const stack: { at: number; spans: number[] }[] = []

  /** Follows what takes no character, in order of preference. */
  const follow = (start: number, initial: number[], index: number, into: typeof threads): void => {
    stack.push({ at: start, spans: initial })
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { at, spans } = top
      if (seen[at] === generation) continue
      seen[at] = generation
      steps++
      const instruction = instructions[at]
      switch (instruction?.op) {
        case 'jump':
          stack.push({ at: instruction.to, spans })
          break
        case 'split':
          stack.push({ at: instruction.second, spans }, { at: instruction.first, spans })
          break
        case 'save': {
          const own = spans.slice()
          own[instruction.slot] = index
          stack.push({ at: at + 1, spans: own })
          break
        }
        case 'assert':
          if (holds(instruction.what, text, index, program.multiline)) stack.push({ at: at + 1, spans })
          break
        default:
          into.push(top)
      }
    }
  }

  for (let index = from; ; ) {
    const point = text.codePointAt(index)
    const size = point !== undefined && point > 0xffff ? 2 : 1
    generation++
    // Threads that came here were followed under this generation's marks already; a new start is the least preferred.
    const current = threads
    threads = []
    for (const { at, spans } of current) follow(at, spans, index, threads)
    if (found === undefined) {
      follow(0, new Array<number>(program.groups * 2).fill(-1), index, threads)
    }
    next = []
    for (const { at, spans } of threads) {
      const instruction = instructions[at]
      if (instruction?.op === 'match') {
        found = spans
        break
      }
      if (
        instruction?.op === 'set' &&
        point !== undefined &&
        contains(instruction.ranges, point, program.ignoreCase) !== instruction.negated
      ) {
        next.push({ at: at + 1, spans })
      }
    }
    steps += threads.length
    if (steps > 4096) {
      tick(steps)
      steps = 0
    }
    threads = next
    if (point === undefined || (found !== undefined && threads.length === 0)) break
    index += size
  }
  tick(steps)
  return found
}

function contains(
  ranges: readonly (readonly [number, number])[],
  point: number,
  ignoreCase: boolean,
): boolean {
  for (const [low, high] of ranges) if (point >= low && point <= high) return true
  if (!ignoreCase) return false
  const other = point >= 65 && point <= 90 ? point + 32 : point >= 97 && point <= 122 ? point - 32 : -1
  return other !== -1 && contains(ranges, other, false)
}

function holds(
  what: 'start' | 'end' | 'boundary' | 'inside',
  text: string,
  index: number,
  multiline: boolean,
): boolean {
  switch (what) {
    case 'start':
      return index === 0 || (multiline && isLineEnd(text.charCodeAt(index - 1)))
    case 'end':
      return index === text.length || (multiline && isLineEnd(text.charCodeAt(index)))
    default: {
      const boundary = isWord(text.charCodeAt(index - 1)) !== isWord(text.charCodeAt(index))
      return boundary === (what === 'boundary')
    }
  }
}

function isLineEnd(unit: number): boolean {
  return unit === 10 || unit === 13 || unit === 0x2028 || unit === 0x2029
}

function isWord(unit: number): boolean {
  return (
    (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90) || unit === 95 || (unit >= 97 && unit <= 122)
  )
}
