/**
 * The form of a protocol's cases: what one end must take, and what it must not, whatever it is given.
 * @module
 */

/** One case of an end of a protocol. `run` throws when the end fails it. */
export interface ProtocolCase {
  readonly protocol: string
  /** The end that is tried. */
  readonly end: string
  /** Whether what is given is as it should be. */
  readonly kind: 'valid' | 'hostile'
  readonly title: string
  readonly run: () => Promise<void>
}

/** Cases, and what ends the world that they share. */
export interface ProtocolCases {
  readonly cases: readonly ProtocolCase[]
  readonly close: () => Promise<void>
}

/** A world that is opened by the first case that needs it; every case resets it. */
export interface ProtocolWorld<T> {
  readonly open: () => Promise<T>
  readonly close: () => Promise<void>
}

/** @param make opens it */
export function protocolWorld<T extends { close(): Promise<void> }>(
  make: () => Promise<T>,
): ProtocolWorld<T> {
  let made: Promise<T> | undefined
  return {
    open: () => {
      made ??= make()
      return made
    },
    close: async () => (await made)?.close(),
  }
}

/** Gives the cases of one end. */
export function casesOf(protocol: string, end: string) {
  return {
    /** @param run throws when it is not taken */
    valid: (title: string, run: () => Promise<unknown>): ProtocolCase => ({
      protocol,
      end,
      kind: 'valid',
      title,
      run: async () => {
        await run()
      },
    }),
    /** @param codes of which its refusal must be one, an error's or an answer's; @param run what must be refused */
    hostile: (title: string, codes: readonly string[], run: () => Promise<unknown>): ProtocolCase => ({
      protocol,
      end,
      kind: 'hostile',
      title,
      run: async () => {
        const told = await run().then(codeOf, codeOf)
        if (!codes.includes(told)) throw new Error(`${told} is not one of ${codes.join(', ')}`)
      },
    }),
  }
}

/** The code of an error or of an answer, or what was taken instead. */
function codeOf(given: unknown): string {
  if (typeof given === 'string') return given
  if (typeof given === 'object' && given !== null) {
    for (const name of ['code', 'reason'] as const) {
      const code: unknown = name in given ? Reflect.get(given, name) : undefined
      if (typeof code === 'string') return code
    }
    if (given instanceof Error) return given.message
  }
  return 'it was taken'
}

/** The same bytes with one bit changed. */
export function changedAt(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Uint8Array.from(bytes)
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

/** Places in bytes of a length: both ends, and evenly between them. */
export function placesIn(length: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => Math.floor((index * (length - 1)) / (count - 1)))
}

/** The same JSON with the text or number at every place changed, one at a time. */
export function changedLeaves(json: unknown): readonly { readonly place: string; readonly json: unknown }[] {
  if (typeof json === 'string') return [{ place: '', json: otherText(json) }]
  if (typeof json === 'number') return [{ place: '', json: json + 1 }]
  if (typeof json === 'boolean') return [{ place: '', json: !json }]
  if (typeof json !== 'object' || json === null) return []
  if (Array.isArray(json)) {
    return json.flatMap((item: unknown, index) =>
      changedLeaves(item).map(({ place, json: other }) => ({
        place: `[${index}]${place}`,
        json: json.with(index, other),
      })),
    )
  }
  return Object.entries(json).flatMap(([name, value]) =>
    changedLeaves(value).map(({ place, json: other }) => ({
      place: `.${name}${place}`,
      json: { ...json, [name]: other },
    })),
  )
}

/** Another text of the same form: its last letter or digit is the next one. */
function otherText(text: string): string {
  const last = text.at(-1) ?? ''
  return `${text.slice(0, -1)}${last === '1' ? '2' : '1'}`
}
