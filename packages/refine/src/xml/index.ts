/**
 * Reading XML with the `saxes` package (an optional peer): a strict parser that never fetches anything and knows no entities
 * but the five of XML.
 *
 * @module
 */
import { SaxesParser } from 'saxes'
import { RefineError } from '../errors.js'
import type { XmlReader } from '../source/xml-events.js'

/**
 * The reader of XML over `saxes`.
 *
 * @param handlers - what to call
 * @param rules - limits; whether a document type may stand
 * @returns the stream
 * @throws RefineError from `write` and `end`: `XML_INVALID` (also for entities and external document types), `LIMIT_EXCEEDED`
 */
export const saxesReader: XmlReader = (handlers, rules) => {
  const parser = new SaxesParser({ xmlns: false, position: true })
  let depth = 0
  let ended = false
  // Characters since the last event: a text or tag that does not end must not grow without bound.
  let pending = 0
  const place = () => `line ${parser.line}, column ${parser.column + 1}`
  const invalid = (message: string) => new RefineError('XML_INVALID', place(), message)
  parser.on('error', () => {
    // The parser's message quotes the document.
    throw invalid('The export is not well-formed XML')
  })
  parser.on('doctype', (text) => {
    pending = 0
    if (rules.documentType === 'refuse') throw invalid('A document type stands in the export; it needs none')
    if (/<!ENTITY|\bSYSTEM\b|\bPUBLIC\b|%/.test(text)) {
      throw invalid('The document type declares entities or external parts')
    }
  })
  parser.on('opentag', (tag) => {
    pending = 0
    depth += 1
    if (depth > rules.depth) {
      throw new RefineError(
        'LIMIT_EXCEEDED',
        place(),
        `Elements are nested deeper than ${rules.depth} levels`,
      )
    }
    handlers.open(tag.name, tag.attributes as Readonly<Record<string, string>>)
  })
  parser.on('text', (text) => {
    pending = 0
    handlers.text(text)
  })
  parser.on('cdata', (text) => {
    pending = 0
    handlers.text(text)
  })
  parser.on('closetag', () => {
    pending = 0
    depth -= 1
    handlers.close()
  })
  parser.on('comment', () => {
    pending = 0
  })
  return {
    write(text) {
      for (let at = 0; at < text.length; at += 65_536) {
        const piece = text.slice(at, at + 65_536)
        pending += piece.length
        parser.write(piece)
        if (pending > rules.fieldLength + 65_536) {
          throw new RefineError('LIMIT_EXCEEDED', place(), 'A text or tag is longer than the limit')
        }
      }
    },
    end() {
      if (ended) return
      ended = true
      parser.close()
    },
  }
}
