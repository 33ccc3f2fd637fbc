/** Text that is safe inside an element and inside a quoted attribute. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A linear scale with round ticks. */
export interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

/**
 * A linear scale from data to pixels whose ticks are round numbers (1, 2 or 5 times a power of ten).
 *
 * @param count about how many ticks
 */
export function linearScale(options: {
  readonly domain: readonly [number, number]
  readonly range: readonly [number, number]
  readonly count?: number
}): Scale {
  const [low, high] = options.domain
  const [from, to] = options.range
  const span = high - low || 1
  const rough = span / (options.count ?? 6)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const ticks: number[] = []
  for (let index = Math.ceil(low / step); index * step <= high + step * 1e-9; index += 1)
    ticks.push(index * step)
  return { at: (value) => from + ((value - low) / span) * (to - from), ticks }
}

/** A number as people read it: few decimals, a true minus sign. */
export function formatNumber(value: number, decimals = 2): string {
  const text = value.toFixed(decimals)
  return text.startsWith('-') ? `−${text.slice(1)}` : text
}

/** One SVG element; attribute values are escaped, children are markup. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[] | string = [],
): string {
  const written = Object.entries(attributes)
    .map(
      ([key, value]) =>
        ` ${key}="${escapeMarkup(typeof value === 'number' ? String(Math.round(value * 100) / 100) : value)}"`,
    )
    .join('')
  const inside = typeof children === 'string' ? children : children.join('')
  return `<${name}${written}>${inside}</${name}>`
}

/** A text element; the content is escaped. */
export function label(text: string, attributes: Readonly<Record<string, string | number>>): string {
  return element('text', attributes, escapeMarkup(text))
}
