import { budgetPlot, coefficientsPlot, meansPlot, timelinePlot } from './plots.js'
import type { ReportData } from './report-data.js'
import { escapeMarkup, formatNumber } from './svg.js'

const style = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6777;--line:#dde3ea;--page:#f6f8fa;--card:#fff;--a:#0f6cbd;--b:#c2410c;--c:#4d7c0f;--warn:#8a5300;--warnbg:#fff3d6}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa7b6;--line:#2c3643;--page:#10151c;--card:#181f29;--a:#5cb0ff;--b:#ff9c66;--c:#a3d65c;--warn:#ffd27a;--warnbg:#3a2d10}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:960px;margin:0 auto;padding:32px 20px 80px}h1{font-size:30px;margin:8px 0 4px;letter-spacing:-.01em}h2{font-size:20px;margin:44px 0 6px}p{margin:6px 0 14px;color:var(--soft)}
.banner{background:var(--warnbg);color:var(--warn);border-radius:8px;padding:10px 16px;font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0}.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}.card b{display:block;font-size:26px;line-height:1.2}.card span{color:var(--soft);font-size:14px}
.plot{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 14px 8px;overflow-x:auto}svg{display:block;width:100%;min-width:640px;height:auto}
svg text{font:13px system-ui,"DejaVu Sans",sans-serif;fill:var(--ink)}.tick,.legend{fill:var(--soft)!important;font-size:12px!important}.name{font-weight:600!important}.figure{font:12px ui-monospace,"DejaVu Sans Mono",monospace!important}
.grid{stroke:var(--line)}.zero{stroke:var(--soft);stroke-dasharray:3 3}.whisker{stroke-width:2;stroke:currentColor}.dot{fill:currentColor}.truth{fill:none;stroke:var(--ink);stroke-width:1.5}
.series0{color:var(--a)}.series1{color:var(--b)}.series2{color:var(--c)}.bar0{fill:var(--a)}.bar1{fill:var(--b)}.bar2{fill:var(--c)}.empty{fill:none;stroke:var(--line)}.inbar{fill:var(--card)!important;font-weight:600!important;font-size:12px!important}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden;font-size:14px}th,td{text-align:left;padding:9px 12px;border-top:1px solid var(--line);vertical-align:top}thead th{border-top:0;color:var(--soft);font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}code,pre{font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace}pre{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;overflow-x:auto}.ok{color:var(--c);font-weight:700}.bad{color:var(--b);font-weight:700}ul{color:var(--soft);padding-left:20px}code,td,li,p,h1,h2{overflow-wrap:anywhere}@media(max-width:700px){table{display:block;overflow-x:auto}td,th{overflow-wrap:normal}}
`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')
  return `<table><thead><tr>${head.map((cell) => `<th>${escapeMarkup(cell)}</th>`).join('')}</tr></thead><tbody>${cells}</tbody></table>`
}

function verified(ok: boolean): string {
  return ok ? '<span class="ok">verified</span>' : '<span class="bad">NOT OK</span>'
}

function section(title: string, text: string, body: string): string {
  return `<section><h2>${escapeMarkup(title)}</h2><p>${escapeMarkup(text)}</p>${body}</section>`
}

/** The whole report as one self-contained HTML page: no script, no request to anywhere. */
export function reportPage(data: ReportData): string {
  const seconds = data.stages.reduce((sum, stage) => sum + stage.seconds, 0)
  const refused = Object.values(data.refused).reduce((sum, count) => sum + count, 0)
  const card = (figure: string, text: string) =>
    `<div class="card"><b>${escapeMarkup(figure)}</b><span>${escapeMarkup(text)}</span></div>`
  const plot = (svg: string) => `<div class="plot">${svg}</div>`
  const body = [
    '<div class="banner">SIMULATED HARDWARE: the node’s evidence comes from a simulator whose root this demo’s policy names. Everything else is real.</div>',
    '<h1>Wage pools</h1>',
    `<p>${data.workers} people of the 1985 Current Population Survey put their payroll and their survey answers into two confidential pools. Nobody saw a row. This is what two analysts learned, and what it cost the people’s privacy.</p>`,
    `<div class="cards">${card(String(data.contributions), 'sealed contributions')}${card(String(data.accepted), 'accepted and rewarded')}${card(String(refused), 'refused, each with its reason')}${card(String(data.jobs.length), 'approved jobs, receipts verified')}${card(`${formatNumber(seconds, 0)} s`, 'from empty chain to this page')}</div>`,
    section(
      'Mean hourly wage by union membership and sector',
      'Pool “pay” alone. Dots are released values, lines their 95 % intervals (privacy noise), rings the truth. Groups whose noisy count was too small are left out.',
      plot(
        meansPlot({
          title: 'Mean hourly wage by union and sector',
          means: data.wageByUnionAndSector,
          unit: 'dollars per hour',
        }),
      ),
    ),
    section(
      'Mean hourly wage by gender and education',
      'Both pools, joined by wallet inside the enclave. Both pools were charged.',
      plot(
        meansPlot({
          title: 'Mean hourly wage by gender and education',
          means: data.wageByGenderAndEducation,
          unit: 'dollars per hour',
        }),
      ),
    ),
    section(
      'The wage equation',
      'Regression of the logarithm of the wage, across both pools. The private fit pays with width for what it does not tell about anybody; the non-private fit of the same data is printed by the demo itself, which holds the data.',
      plot(coefficientsPlot(data.coefficients)),
    ),
    section(
      'Budget spent',
      'A pool’s budget is for its whole life and for all analysts together. What is spent stays spent.',
      plot(budgetPlot(data.budgets)),
    ),
    section('Timeline', 'Stages of the demo and the life of each job.', plot(timelinePlot(data.timeline))),
    section(
      'Jobs',
      'Each receipt was checked offline by a third party from files alone.',
      table(
        ['Job', 'What', 'Pools', 'ε charged', 'Receipt', ''],
        data.jobs.map((job) => [
          escapeMarkup(job.id),
          escapeMarkup(`${job.title} (${job.kind})`),
          escapeMarkup(job.pools.join(', ')),
          escapeMarkup(job.epsilon),
          `<code>${escapeMarkup(job.receiptFile)}</code>`,
          verified(job.verified),
        ]),
      ),
    ),
    section(
      'Refusals',
      'What the node would not do. Each refusal left a signed receipt and no data.',
      table(
        ['Asked', 'Answer', 'Why', ''],
        data.refusals.map((row) => [
          escapeMarkup(row.asked),
          `<code>${escapeMarkup(row.code)}</code>`,
          escapeMarkup(row.message),
          verified(row.verified),
        ]),
      ),
    ),
    section(
      'Contributions refused',
      'Planted on purpose; the others were not disturbed.',
      table(
        ['Reason', 'Contributions'],
        Object.entries(data.refused).map(([reason, count]) => [
          `<code>${escapeMarkup(reason)}</code>`,
          String(count),
        ]),
      ),
    ),
    section(
      'Who earned and who paid',
      'Read from the chain. Contributors earned pool tokens by score; the analyst burned tokens for access, and part of the price waits for the contributors to claim it.',
      table(
        ['Pool', 'Tokens earned', 'Tokens burned', 'Protocol tokens set aside'],
        (['pay', 'people'] as const).map((pool) => [
          escapeMarkup(pool),
          formatNumber(data.rewards[pool], 0),
          formatNumber(data.payments.poolTokensBurned[pool], 0),
          formatNumber(data.payments.setAside[pool], 0),
        ]),
      ) + `<p>${formatNumber(data.payments.protocolTokensBurned, 0)} protocol tokens were burned.</p>`,
    ),
    section(
      'Flipped bits',
      `${data.tamper.detected} of ${data.tamper.flipped} single flipped bits in a receipt’s files were detected.`,
      '',
    ),
    section(
      'Verify it yourself',
      'From files alone, without a network:',
      `<pre>${data.commands.map(escapeMarkup).join('\n')}</pre>`,
    ),
    section(
      'Notes',
      'What to know about this run.',
      `<ul>${data.notes.map((note) => `<li>${escapeMarkup(note)}</li>`).join('')}</ul>`,
    ),
  ]
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><title>Wage pools: Sealpool demo report (SIMULATED)</title><style>${style}</style></head><body><main>${body.join('\n')}</main></body></html>\n`
}
