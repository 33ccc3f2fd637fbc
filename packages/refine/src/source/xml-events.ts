/** What a reader of XML tells: names without prefixes are the handler's business. */
export interface XmlHandlers {
  /** An element begins. @param name - as written, with prefix @param attributes - name to value */
  open(name: string, attributes: Readonly<Record<string, string>>): void
  /** Text between tags, entities resolved. */
  text(text: string): void
  /** An element ends. */
  close(): void
}

/** Limits and rules of one document. */
export interface XmlRules {
  /** Deepest nesting of elements. */
  readonly depth: number
  /** Most characters of one text, attribute or declaration. */
  readonly fieldLength: number
  /** `refuse`: no document type at all; `elements`: one without entities and external parts, as Apple Health writes it. */
  readonly documentType: 'refuse' | 'elements'
}

/** Takes a document piece by piece; what it throws is RefineError `XML_INVALID` or `LIMIT_EXCEEDED`. */
export interface XmlStream {
  write(text: string): void
  end(): void
}

/** The port to a reader of XML; `saxesReader` of `@sealpool/refine/xml` is one. */
export type XmlReader = (handlers: XmlHandlers, rules: XmlRules) => XmlStream

/**
 * A name without its prefix: exports differ in prefixes, not in names.
 *
 * @param name - for example `gpxtpx:hr`
 * @returns for example `hr`
 */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
