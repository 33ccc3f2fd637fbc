import { german } from './de.js'
import { english } from './en.js'
import { spanish } from './es.js'
import { french } from './fr.js'
import { italian } from './it.js'
import type { PiiLocale } from './locale.js'
import { dutch } from './nl.js'
import { polish } from './pl.js'
import { portuguese } from './pt.js'

export type { PiiLocale } from './locale.js'
export { dutch, english, french, german, italian, polish, portuguese, spanish }

/** All locales that this package brings. */
export const piiLocales: readonly PiiLocale[] = [
  english,
  german,
  french,
  spanish,
  italian,
  portuguese,
  dutch,
  polish,
]
