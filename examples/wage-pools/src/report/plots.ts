import type { Coefficient, PoolBudget, ReleasedMean, TimelineEntry } from './report-data.js'
import { element, formatNumber, label, linearScale } from './svg.js'

const width = 860

function figure(height: number, title: string, children: readonly string[]): string {
  return element(
    'svg',
    {
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': title,
      xmlns: 'http://www.w3.org/2000/svg',
    },
    [element('title', {}, title), ...children],
  )
}

function verticalGrid(
  scale: ReturnType<typeof linearScale>,
  top: number,
  bottom: number,
  format: (tick: number) => string,
): string[] {
  return scale.ticks.flatMap((tick) => [
    element('line', { x1: scale.at(tick), x2: scale.at(tick), y1: top, y2: bottom, class: 'grid' }),
    label(format(tick), { x: scale.at(tick), y: bottom + 18, class: 'tick', 'text-anchor': 'middle' }),
  ])
}

/**
 * Released means with their intervals, a row per group and a mark per series; an open ring shows the truth that only the
 * demo knows.
 */
export function meansPlot(options: {
  readonly title: string
  readonly means: readonly ReleasedMean[]
  readonly unit: string
}): string {
  if (options.means.length === 0) {
    const text = 'No group was large enough to be released.'
    return figure(60, options.title, [label(text, { x: 16, y: 34, class: 'legend' })])
  }
  const groups = [...new Set(options.means.map(({ group }) => group))]
  const series = [...new Set(options.means.map((mean) => mean.series))]
  const left = 170
  const top = 34
  const row = 26 + 20 * series.length
  const bottom = top + groups.length * row
  const values = options.means.flatMap(({ value, low, high, truth }) => [
    value,
    Math.max(low, 0),
    Math.min(high, value * 2.5),
    truth ?? value,
  ])
  const scale = linearScale({
    domain: [Math.min(0, ...values), Math.max(...values) * 1.05],
    range: [left, width - 30],
  })
  const clampX = (value: number) => Math.min(width - 12, Math.max(left, scale.at(value)))
  const children = verticalGrid(scale, top, bottom, (tick) => `$${formatNumber(tick, 0)}`)
  groups.forEach((group, groupIndex) => {
    const middle = top + groupIndex * row + row / 2
    children.push(label(group, { x: left - 14, y: middle + 4, class: 'name', 'text-anchor': 'end' }))
    if (groupIndex > 0) {
      const y = top + groupIndex * row
      children.push(element('line', { x1: 16, x2: width - 12, y1: y, y2: y, class: 'grid' }))
    }
    series.forEach((name, seriesIndex) => {
      const mean = options.means.find((candidate) => candidate.group === group && candidate.series === name)
      if (mean === undefined) return
      const y = middle + (seriesIndex - (series.length - 1) / 2) * 22
      const tone = `series${seriesIndex}`
      const y1 = y - 5
      const y2 = y + 5
      children.push(
        element('g', { class: tone }, [
          element(
            'title',
            {},
            `${group}, ${name}: ${formatNumber(mean.value)} (${formatNumber(mean.low)} to ${formatNumber(mean.high)}) ${options.unit}`,
          ),
          element('line', { x1: clampX(mean.low), x2: clampX(mean.high), y1: y, y2: y, class: 'whisker' }),
          element('line', { x1: clampX(mean.low), x2: clampX(mean.low), y1, y2, class: 'whisker' }),
          element('line', { x1: clampX(mean.high), x2: clampX(mean.high), y1, y2, class: 'whisker' }),
          element('circle', { cx: scale.at(mean.value), cy: y, r: 5.5, class: 'dot' }),
        ]),
      )
      if (mean.truth !== null) {
        children.push(element('circle', { cx: scale.at(mean.truth), cy: y, r: 8.5, class: 'truth' }))
      }
    })
  })
  let x = left
  series.forEach((name, index) => {
    children.push(
      element('circle', { cx: x + 6, cy: 14, r: 5.5, class: `dot series${index}` }),
      label(name, { x: x + 18, y: 18, class: 'legend' }),
    )
    x += 40 + name.length * 7.2
  })
  children.push(
    element('circle', { cx: x + 6, cy: 14, r: 7, class: 'truth' }),
    label('truth (only this demo knows it)', { x: x + 20, y: 18, class: 'legend' }),
  )
  return figure(bottom + 30, options.title, children)
}

/** Private and non-private coefficients side by side, each on a scale of its own because their units differ. */
export function coefficientsPlot(coefficients: readonly Coefficient[]): string {
  const left = 190
  const right = width - 240
  const row = 62
  const top = 30
  const children: string[] = [
    element('circle', { cx: left + 6, cy: 14, r: 5.5, class: 'dot series0' }),
    label('private', { x: left + 18, y: 18, class: 'legend' }),
    element('circle', { cx: left + 96, cy: 14, r: 5.5, class: 'dot series1' }),
    label('non-private, same data', { x: left + 108, y: 18, class: 'legend' }),
  ]
  coefficients.forEach((coefficient, index) => {
    const y = top + index * row + row / 2
    const reach = Math.max(
      ...[coefficient.private, coefficient.nonPrivate].flatMap(({ value, low, high }) => [
        Math.abs(value),
        Math.abs(low),
        Math.abs(high),
      ]),
    )
    const scale = linearScale({ domain: [-reach * 1.05, reach * 1.05], range: [left, right], count: 4 })
    if (index > 0) {
      const line = top + index * row
      children.push(element('line', { x1: 16, x2: width - 12, y1: line, y2: line, class: 'grid' }))
    }
    children.push(
      label(coefficient.name, { x: left - 14, y: y - 2, class: 'name', 'text-anchor': 'end' }),
      label(coefficient.unit, { x: left - 14, y: y + 13, class: 'tick', 'text-anchor': 'end' }),
      element('line', { x1: scale.at(0), x2: scale.at(0), y1: y - 24, y2: y + 24, class: 'zero' }),
    )
    const pairs = [coefficient.private, coefficient.nonPrivate] as const
    pairs.forEach((interval, series) => {
      const line = y + (series === 0 ? -9 : 9)
      children.push(
        element('g', { class: `series${series}` }, [
          element('line', {
            x1: scale.at(interval.low),
            x2: scale.at(interval.high),
            y1: line,
            y2: line,
            class: 'whisker',
          }),
          element('circle', { cx: scale.at(interval.value), cy: line, r: 5.5, class: 'dot' }),
        ]),
        label(
          `${formatNumber(interval.value, 4)}  (${formatNumber(interval.low, 4)} to ${formatNumber(interval.high, 4)})`,
          {
            x: right + 14,
            y: line + 4,
            class: 'figure',
          },
        ),
      )
    })
  })
  return figure(top + coefficients.length * row + 8, 'Coefficients of the wage equation', children)
}

/** What each pool's lifetime budget was spent on. */
export function budgetPlot(budgets: readonly PoolBudget[]): string {
  const left = 110
  const right = width - 30
  const row = 54
  const children: string[] = []
  // A job keeps its colour in every pool that it was charged to.
  const jobs = [...new Set(budgets.flatMap(({ charges }) => charges.map(({ job }) => job)))]
  budgets.forEach((budget, index) => {
    const y = 14 + index * row
    const scale = linearScale({ domain: [0, budget.epsilonTotal], range: [left, right] })
    children.push(
      label(budget.pool, { x: left - 14, y: y + 21, class: 'name', 'text-anchor': 'end' }),
      element('rect', { x: left, y, width: right - left, height: 32, rx: 4, class: 'empty' }),
    )
    let spent = 0
    for (const charge of budget.charges) {
      const from = scale.at(spent)
      spent += charge.epsilon
      const span = scale.at(spent) - from
      children.push(
        element('rect', {
          x: from + 1,
          y,
          width: Math.max(0, span - 2),
          height: 32,
          rx: 3,
          class: `bar${jobs.indexOf(charge.job) % 3}`,
        }),
        label(`${charge.job}: ε ${charge.epsilon}`, {
          x: from + span / 2,
          y: y + 20,
          class: 'inbar',
          'text-anchor': 'middle',
        }),
      )
    }
    if (spent < budget.epsilonTotal) {
      children.push(
        label(`ε ${formatNumber(budget.epsilonTotal - spent, 1)} left`, {
          x: (scale.at(spent) + right) / 2,
          y: y + 20,
          class: 'tick',
          'text-anchor': 'middle',
        }),
      )
    }
  })
  return figure(14 + budgets.length * row, 'Privacy budget of each pool', children)
}

/** Who was busy when, in seconds since the demo began. */
export function timelinePlot(entries: readonly TimelineEntry[]): string {
  const lanes = [...new Set(entries.map(({ lane }) => lane))]
  const left = 150
  const row = 36
  const bottom = 10 + lanes.length * row
  const scale = linearScale({
    domain: [0, Math.max(1, ...entries.map(({ end }) => end))],
    range: [left, width - 30],
  })
  const children = verticalGrid(scale, 6, bottom, (tick) => `${formatNumber(tick, tick % 1 === 0 ? 0 : 1)} s`)
  lanes.forEach((lane, index) => {
    const y = 10 + index * row
    children.push(label(lane, { x: left - 14, y: y + 18, class: 'name', 'text-anchor': 'end' }))
    entries
      .filter((entry) => entry.lane === lane)
      .forEach((entry, place) => {
        const x = scale.at(entry.start)
        const span = Math.max(2, scale.at(entry.end) - x)
        children.push(
          element('g', {}, [
            element('title', {}, `${entry.label}: ${formatNumber(entry.end - entry.start)} s`),
            element('rect', { x, y: y + 2, width: span, height: 24, rx: 3, class: `bar${place % 3}` }),
            ...(span > entry.label.length * 6.4 + 8
              ? [label(entry.label, { x: x + 7, y: y + 18, class: 'inbar' })]
              : []),
          ]),
        )
      })
  })
  return figure(bottom + 28, 'Timeline', children)
}
