import { isAscii } from './decode-text.js'

/** Most memory for one document, its text and its values, in bytes: with all that is made on the way it fits into a heap of 2 GB. */
export const documentMemory = 1.5 * 2 ** 30

// What values take at most, measured with Node 20 and taken high (README: Limits); growing lists and objects take more on the way.
const scalarBytes = 40
const textBytes = 48
const listBytes = 200
const objectBytes = 96
/** A name behind names that stood together before. */
const knownNameBytes = 16
/** A name behind others than ever: engines keep a description of each such form of an object. */
const newNameBytes = 200

/** Forms of objects that are remembered, and characters of their names. */
const mostForms = 10_000
const mostCharacters = 2 ** 20

/** Names of an object in their order, up to one of them; undefined when it is not remembered. */
export type Form = Map<string, Form> | undefined

/** Counts what a document takes while it is read. */
export interface DocumentMemory {
  /** Bytes so far, taken high. */
  readonly bytes: number
  /** A number, a truth value or null. */
  scalar(): void
  /** @param length - characters */
  text(length: number): void
  list(): void
  /** An object. @returns its form, without a name */
  object(): Form
  /** A name of an object. @param form - of the names before it @returns the form with it */
  name(form: Form, name: string): Form
}

/**
 * Begins to count with the text of a document.
 *
 * @param text - of the document
 * @returns the count
 */
export function countMemory(text: string): DocumentMemory {
  const width = isAscii(text) ? 1 : 2
  const forms = new Map<string, Form>()
  let [roomForForms, roomForNames] = [mostForms, mostCharacters]
  let bytes = width * text.length
  return {
    get bytes() {
      return bytes
    },
    scalar() {
      bytes += scalarBytes
    },
    text(length) {
      bytes += textBytes + width * length
    },
    list() {
      bytes += listBytes
    },
    object() {
      bytes += objectBytes
      return forms
    },
    name(form, name) {
      const known = form?.get(name)
      if (known !== undefined) {
        bytes += knownNameBytes
        return known
      }
      bytes += newNameBytes + width * name.length
      if (form === undefined || roomForForms === 0 || name.length > roomForNames) return undefined
      roomForForms -= 1
      roomForNames -= name.length
      const longer = new Map<string, Form>()
      form.set(name, longer)
      return longer
    },
  }
}
