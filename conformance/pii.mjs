// Personal data and secrets in labelled texts: `npm run conformance -- pii [--data DIR]`. The folder holds <language>.txt with
// labels {{type|text}} (conformance/pii/README.md). Prints precision and recall per type and per language beside two npm
// packages for the same end, and fails below the floors at the end.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { createPiiDetector, piiLocales, piiTypes, redactPii } from '@sealpool/privacy/pii'

const require = createRequire(import.meta.url)

/** Least precision and recall of each type over all languages, and of each language over all types. */
const floors = { precision: 0.9, recall: 0.9 }
/** Names are found by form and by common given names only; rare names in plain sentences pass. */
const nameFloors = { precision: 0.9, recall: 0.7 }

/**
 * @param {object} options
 * @param {string} options.data folder with labelled texts
 * @param {(line: string) => void} options.print
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ data, print }) {
  const documents = readdirSync(data)
    .filter((file) => /^[a-z]{2}\.txt$/.test(file))
    .sort()
    .flatMap((file) => read(basename(file, '.txt'), readFileSync(join(data, file), 'utf8')))
  const detector = createPiiDetector({ locales: piiLocales })
  const finders = [['@sealpool/privacy', (text) => detector.find(text)], ...peers(print)]
  const scores = finders.map(([name, find]) => ({ name, ...scored(documents, find) }))
  const languages = [...new Set(documents.map(({ language }) => language))]
  const labels = documents.reduce((sum, document) => sum + document.labels.length, 0)
  print(`${documents.length} documents in ${languages.length} languages, ${labels} labels`)
  for (const [what, keys] of [
    ['type', piiTypes],
    ['language', languages],
    ['all', ['all']],
  ]) {
    print('')
    print(`${what.padEnd(12)}  labels${scores.map(({ name }) => name.padStart(34)).join('')}`)
    for (const key of keys) {
      const cells = scores.map(({ of }) => cell(of(`${what} ${key}`)).padStart(34))
      const own = scores[0].of(`${what} ${key}`)
      print(`${key.padEnd(12)}  ${String(own.found + own.missed).padStart(6)}${cells.join('')}`)
    }
  }
  print('')
  for (const line of scores[0].mistakes) print(line)
  return judged(scores[0].of, languages, documents, detector, print)
}

/** Floors, and that evidence and redacted text hold nothing of what was found. */
function judged(of, languages, documents, detector, print) {
  let agree = 0
  let differ = 0
  const count = (holds, what) => {
    if (holds) agree += 1
    else {
      differ += 1
      print(`differs: ${what}`)
    }
  }
  for (const type of piiTypes) {
    const least = type === 'name' ? nameFloors : floors
    const score = of(`type ${type}`)
    if (score.found + score.missed === 0) continue
    count(precision(score) >= least.precision, `precision of ${type} is ${percent(precision(score))}`)
    count(recall(score) >= least.recall, `recall of ${type} is ${percent(recall(score))}`)
  }
  for (const language of languages) {
    const score = of(`language ${language}`)
    count(precision(score) >= floors.precision, `precision in ${language} is ${percent(precision(score))}`)
    count(recall(score) >= floors.recall, `recall in ${language} is ${percent(recall(score))}`)
  }
  const key = new Uint8Array(32).fill(9)
  for (const { text } of documents) {
    const found = detector.find(text)
    for (const mode of ['drop', 'mask', 'hash', 'token', 'generalise']) {
      const redacted = redactPii(text, { detector, mode, key })
      const evidence = JSON.stringify([redacted.findings, redacted.counts])
      const told = found.filter(({ start, end }) => {
        const raw = text.slice(start, end)
        return redacted.text.includes(raw) && raw.length > 3 && text.indexOf(raw) === text.lastIndexOf(raw)
      })
      const leaks =
        told.length > 0 ||
        found.some(({ start, end }) => end - start > 3 && evidence.includes(text.slice(start, end)))
      if (leaks)
        count(false, `mode ${mode} leaves what was found: ${told.map(({ rule }) => rule).join(', ')}`)
    }
    agree += 1
  }
  return { agree, differ }
}

/** A paragraph with its labels taken out and their places noted. */
function read(language, file) {
  return file
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => {
      let text = ''
      const labels = []
      let at = 0
      for (const match of paragraph.matchAll(/\{\{([a-z-]+)\|([^}]*)\}\}/g)) {
        text += paragraph.slice(at, match.index)
        labels.push({ type: match[1], start: text.length, end: text.length + match[2].length })
        text += match[2]
        at = match.index + match[0].length
      }
      return { language, text: text + paragraph.slice(at), labels }
    })
}

/**
 * A label counts as found when findings of its type cover at least nine tenths of it; a finding counts as right when at least
 * half of it lies in a label of its type.
 */
function scored(documents, find) {
  const scores = new Map()
  const mistakes = []
  const add = (keys, what) => {
    for (const key of keys) {
      const score = scores.get(key) ?? { found: 0, missed: 0, right: 0, wrong: 0 }
      score[what] += 1
      scores.set(key, score)
    }
  }
  for (const { language, text, labels } of documents) {
    const found = find(text)
    const shared = (a, b) =>
      a.type === b.type ? Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start)) : 0
    const keysOf = (type) => [`type ${type}`, `language ${language}`, 'all all']
    for (const label of labels) {
      const covered = found.reduce((sum, finding) => sum + shared(label, finding), 0)
      const hit = covered >= 0.9 * (label.end - label.start)
      add(keysOf(label.type), hit ? 'found' : 'missed')
      if (!hit) mistakes.push(`missed ${language} ${label.type}: ${text.slice(label.start, label.end)}`)
    }
    for (const finding of found) {
      const covered = labels.reduce((sum, label) => sum + shared(label, finding), 0)
      const hit = covered >= 0.5 * (finding.end - finding.start)
      add(keysOf(finding.type), hit ? 'right' : 'wrong')
      if (!hit) mistakes.push(`wrong ${language} ${finding.type}: ${text.slice(finding.start, finding.end)}`)
    }
  }
  return { of: (key) => scores.get(key) ?? { found: 0, missed: 0, right: 0, wrong: 0 }, mistakes }
}

const precision = ({ right, wrong }) => (right + wrong === 0 ? Number.NaN : right / (right + wrong))
const recall = ({ found, missed }) => (found + missed === 0 ? Number.NaN : found / (found + missed))
const percent = (share) => (Number.isNaN(share) ? '-' : `${(100 * share).toFixed(1)} %`)
const cell = (score) => `precision ${percent(precision(score))} recall ${percent(recall(score))}`

/** The peers replace what they find by a word per type; the text between the words tells where it was. */
function peers(print) {
  const types = {
    PERSON_NAME: 'name',
    EMAIL_ADDRESS: 'email',
    PHONE_NUMBER: 'phone',
    CREDIT_CARD_NUMBER: 'card',
    US_SOCIAL_SECURITY_NUMBER: 'national-id',
    IP_ADDRESS: 'ip',
    URL: 'url',
    USERNAME: 'other',
    PASSWORD: 'secret',
    CREDENTIALS: 'secret',
    ZIPCODE: 'other',
    STREET_ADDRESS: 'other',
    DIGITS: 'other',
  }
  const words = new RegExp(
    `(?<![A-Z_])(${Object.keys(types)
      .sort((a, b) => b.length - a.length)
      .join('|')})(?![A-Z_])`,
    'g',
  )
  const finder = (redact) => (text) => {
    const redacted = redact(text)
    const placed = [...redacted.matchAll(words)]
    const found = []
    let at = 0
    for (const [index, match] of placed.entries()) {
      const from = index === 0 ? 0 : placed[index - 1].index + placed[index - 1][0].length
      const start = at + (match.index - from)
      const next = redacted.slice(match.index + match[0].length, placed[index + 1]?.index ?? redacted.length)
      const end = next === '' ? (index + 1 < placed.length ? start : text.length) : text.indexOf(next, start)
      if (end < start) break
      found.push({ type: types[match[1]], start, end })
      at = end
    }
    return found.filter(({ type }) => type !== 'other')
  }
  const loaded = []
  for (const [name, make] of [
    ['@redactpii/node', () => new (require('@redactpii/node').Redactor)({})],
    ['redact-pii', () => new (require('redact-pii').SyncRedactor)()],
  ]) {
    try {
      const redactor = make()
      loaded.push([name, finder((text) => redactor.redact(text))])
    } catch (error) {
      print(`${name} is not compared: ${error.message}`)
    }
  }
  return loaded
}
