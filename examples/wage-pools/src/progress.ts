import type { TimelineEntry } from './report/report-data.js'

/** What the demo tells the person who watches: stages, bars, tables. On a terminal bars redraw; in a log they do not. */
export interface Progress {
  /** Seconds since the demo began. */
  readonly seconds: () => number
  /** Runs one stage, prints its title and how long it took, and records it. */
  readonly stage: <T>(title: string, run: () => Promise<T>) => Promise<T>
  /** Runs a part of a stage and records it on the report's timeline. */
  readonly part: <T>(lane: string, label: string, run: () => Promise<T>) => Promise<T>
  /** A bar that grows to `total`. */
  readonly bar: (label: string, total: number) => Bar
  readonly say: (line: string) => void
  /** A readable table; cells that look like numbers are set to the right. */
  readonly table: (head: readonly string[], rows: readonly (readonly string[])[]) => void
  readonly timeline: readonly TimelineEntry[]
  readonly stages: readonly { readonly name: string; readonly seconds: number }[]
}

export interface Bar {
  readonly set: (done: number) => void
  readonly end: () => void
}

export function createProgress(output: NodeJS.WriteStream): Progress {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  const timeline: TimelineEntry[] = []
  const stages: { name: string; seconds: number }[] = []
  const write = (line: string) => output.write(`${line}\n`)

  async function part<T>(lane: string, label: string, run: () => Promise<T>): Promise<T> {
    const start = seconds()
    try {
      return await run()
    } finally {
      timeline.push({ lane, label, start, end: seconds() })
    }
  }

  return {
    seconds,
    part,
    timeline,
    stages,
    say: (line) => write(`    ${line}`),
    async stage(title, run) {
      const start = seconds()
      write(`\n[${stages.length + 1}] ${title}`)
      const result = await run()
      stages.push({ name: title, seconds: round(seconds() - start) })
      write(`    done in ${(seconds() - start).toFixed(1)} s`)
      return result
    },
    bar(label, total) {
      let shown = output.isTTY || total >= 500 ? -1 : 0
      const draw = (done: number) => {
        const percent = total === 0 ? 100 : Math.floor((done * 100) / total)
        // In a log, where nothing can be redrawn, a line every quarter is enough, and one in all for short work.
        const stride = total < 500 ? 100 : 25
        const step = output.isTTY ? percent : Math.floor(percent / stride) * stride
        if (step === shown) return
        shown = step
        const filled = Math.round(percent / 4)
        const line = `    ${label.padEnd(28)} ${'█'.repeat(filled)}${'░'.repeat(25 - filled)} ${String(done).padStart(5)} / ${total}`
        if (output.isTTY) output.write(`\r${line}`)
        else write(line)
      }
      if (output.isTTY || total >= 500) draw(0)
      return {
        set: draw,
        end: () => {
          draw(total)
          if (output.isTTY) output.write('\n')
        },
      }
    },
    table(head, rows) {
      const all = [head, ...rows]
      const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
      const numeric = head.map((_, column) =>
        rows.every((row) => /^[−+\-$±\d., %]*$/.test(row[column] ?? '')),
      )
      const line = (row: readonly string[]) =>
        `    ${row.map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ')}`.trimEnd()
      write(line(head))
      write(`    ${widths.map((width) => '─'.repeat(width)).join('  ')}`)
      for (const row of rows) write(line(row))
    },
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
