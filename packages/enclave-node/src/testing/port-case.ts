/**
 * The form of a port's suite: its cases, and the adapters that they are run on.
 * @module
 */
/** One adapter, opened for one case. */
export interface Opened<Port> {
  readonly port: Port
  readonly close: () => Promise<void>
}

/** One adapter of a port; `open` is null where this machine lacks what it needs, and `missing` says what. */
export interface Adapter<Port> {
  readonly name: string
  readonly open: (() => Promise<Opened<Port>>) | null
  readonly missing?: string
}

/** What an adapter must do. */
export interface Case<Port> {
  readonly title: string
  readonly check: (port: Port) => Promise<void>
}

/** @param what is wrong when it does not hold */
export function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** Whether two byte strings are equal. */
export const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])
