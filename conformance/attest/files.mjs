// The folder's files as the cases see them: in Node from the disk, in a browser from what Node has sent.
import { certificatesIn, decoded, withoutMark } from './encodings.mjs'

const text = new TextDecoder('utf-8', { fatal: true })

/**
 * @param {(path: string) => Uint8Array | undefined} read
 * @param {(folder: string) => string[]} list names of the files in a folder, none when it is not there
 */
export function fileSource(read, list) {
  const remembered = new Map()
  const bytes = (path) => {
    if (!remembered.has(path)) remembered.set(path, read(path))
    return remembered.get(path)
  }
  const opened = new Set()
  const need = (path) => {
    opened.add(path)
    const found = bytes(path)
    if (found === undefined) throw new Error(`the data have no file ${path}`)
    return found
  }
  return {
    has: (path) => bytes(path) !== undefined,
    /** A look at a file that does not count as having read it. */
    peek: (path) => bytes(path),
    /** Whether a reader has opened it. */
    wasRead: (path) => opened.has(path),
    bytes: need,
    /** Bytes of evidence, also where the file holds them as PEM, hex or base64. */
    evidence: (path) => decoded(need(path)),
    /** DER of every certificate in a file, in its order: one, or all blocks of a PEM. */
    certificates: (path) => certificatesIn(need(path)),
    text: (path) => text.decode(need(path)),
    /** Parsed JSON, an empty list when the file is not there. */
    json: (path) => (bytes(path) === undefined ? [] : JSON.parse(text.decode(withoutMark(need(path))))),
    list,
  }
}
