/** An element that the page's HTML has. */
export function find<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  id: string,
): HTMLElementTagNameMap[Name] {
  const found = document.getElementById(id)
  if (found === null || found.localName !== name) throw new Error(`the page has no <${name} id="${id}">`)
  return found as HTMLElementTagNameMap[Name]
}

/** A new element with text or elements in it; text is never read as HTML. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  if (className !== '') element.className = className
  element.append(...content)
  return element
}

/** Marks for results; the word beside them is for those who do not see them. */
const marks = {
  pass: ['✓', 'passed'],
  fail: ['✗', 'failed'],
  'not-checked': ['–', 'not checked'],
  started: ['…', 'under way'],
  done: ['✓', 'done'],
  skipped: ['✓', 'done earlier'],
  waiting: ['·', 'to come'],
} as const

/** One line of a list of checks or steps. */
export function line(result: keyof typeof marks, title: string, reason?: string): HTMLLIElement {
  const [sign, word] = marks[result]
  const mark = make('span', 'mark', sign)
  mark.setAttribute('role', 'img')
  mark.setAttribute('aria-label', word)
  const parts = [mark, make('span', '', title)]
  return make('li', result, ...parts, ...(reason === undefined ? [] : [make('span', 'reason', reason)]))
}
