import { type Node, PatternError, parsePattern } from './syntax.js'

/** One instruction of the matching machine. */
export type Instruction =
  | { readonly op: 'set'; readonly ranges: readonly (readonly [number, number])[]; readonly negated: boolean }
  | { readonly op: 'assert'; readonly what: 'start' | 'end' | 'boundary' | 'inside' }
  /** Go on at both, the first preferred. */
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'match' }

/** A compiled pattern. */
export interface Program {
  readonly instructions: readonly Instruction[]
  /** Capturing groups, the whole match included. */
  readonly groups: number
  readonly ignoreCase: boolean
  readonly multiline: boolean
}

const LARGEST_PROGRAM = 20_000

/**
 * Compiles a pattern for {@link matchAt}-style simulation (Thompson 1968, Pike's captures): time is at most the length of the
 * text times the size of the program, whatever both are.
 *
 * @param pattern see `parsePattern`
 * @param flags of `i` (ASCII letters), `m`, `s`
 * @throws PatternError for an unknown flag or a pattern that is too large or not taken
 */
export function compilePattern(pattern: string, flags: string): Program {
  if (!/^[ims]*$/.test(flags) || new Set(flags).size !== flags.length) {
    throw new PatternError('flags are i, m and s, each once')
  }
  const { root, groups } = parsePattern(pattern, { dotAll: flags.includes('s') })
  const instructions: Instruction[] = []
  const emit = <Kind extends Instruction>(instruction: Kind): Kind => {
    if (instructions.length >= LARGEST_PROGRAM) {
      throw new PatternError(`a compiled pattern has at most ${LARGEST_PROGRAM} steps; use smaller counts`)
    }
    instructions.push(instruction)
    return instruction
  }
  const here = (): number => instructions.length

  function optional(body: () => void, greedy: boolean): void {
    const split = emit({ op: 'split', first: 0, second: 0 })
    const start = here()
    body()
    if (greedy) [split.first, split.second] = [start, here()]
    else [split.first, split.second] = [here(), start]
  }

  function add(node: Node): void {
    switch (node.kind) {
      case 'empty':
        return
      case 'set':
        emit({ op: 'set', ranges: node.ranges, negated: node.negated })
        return
      case 'assert':
        emit({ op: 'assert', what: node.what })
        return
      case 'sequence':
        for (const part of node.parts) add(part)
        return
      case 'group':
        emit({ op: 'save', slot: node.index * 2 })
        add(node.body)
        emit({ op: 'save', slot: node.index * 2 + 1 })
        return
      case 'choice': {
        const ends: { to: number }[] = []
        node.options.forEach((option, index) => {
          if (index === node.options.length - 1) {
            add(option)
            return
          }
          const split = emit({ op: 'split', first: here() + 1, second: 0 })
          add(option)
          ends.push(emit({ op: 'jump', to: 0 }))
          split.second = here()
        })
        for (const end of ends) end.to = here()
        return
      }
      case 'repeat':
        repeat(node)
    }
  }

  function repeat({ body, least, most, greedy }: Node & { kind: 'repeat' }): void {
    for (let count = 0; count < least; count++) add(body)
    if (most === Infinity) {
      const loop = here()
      optional(() => {
        add(body)
        emit({ op: 'jump', to: loop })
      }, greedy)
      return
    }
    // x{2,4} is x x (x (x)?)?: nested, so that later copies are tried only after earlier ones.
    const nest = (left: number): void => {
      if (left === 0) return
      optional(() => {
        add(body)
        nest(left - 1)
      }, greedy)
    }
    nest(most - least)
  }

  emit({ op: 'save', slot: 0 })
  add(root)
  emit({ op: 'save', slot: 1 })
  emit({ op: 'match' })
  return {
    instructions,
    groups: groups + 1,
    ignoreCase: flags.includes('i'),
    multiline: flags.includes('m'),
  }
}
