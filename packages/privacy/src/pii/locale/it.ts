import { locale, nationalId, type PiiLocale, phone, words } from './locale.js'

/** Values of characters in odd places of an Italian tax code (decree of 12 March 1974). */
const ODD = /* @__PURE__ */ Object.fromEntries(
  [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((character, index) => [
    character,
    [
      1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14,
      16, 10, 22, 25, 24, 23,
    ][index] ?? 0,
  ]),
)

/** Italian: Italy. */
export const italian: PiiLocale = /* @__PURE__ */ locale(() => ({
  language: 'it',
  givenNames: words(`
    Giuseppe Giovanni Antonio Mario Luigi Francesco Angelo Vincenzo Pietro Salvatore Carlo Franco Domenico Bruno Paolo Michele Giorgio
    Aldo Sergio Luciano Andrea Marco Alessandro Stefano Matteo Lorenzo Davide Riccardo Federico Simone Luca Roberto Fabio Massimo
    Claudio Daniele Enrico Filippo Gabriele Leonardo Tommaso Edoardo Giacomo Nicola
    Maria Anna Giuseppina Rosa Angela Giovanna Teresa Lucia Carmela Caterina Francesca Antonietta Carla Elena Concetta Rita Margherita
    Franca Paola Laura Giulia Chiara Sara Martina Valentina Alessia Federica Silvia Elisa Giorgia Sofia Aurora Alice Ginevra Beatrice
    Roberta Simona Daniela Barbara Monica Cristina Patrizia Ilaria Serena`),
  titles: [
    'Sig',
    'Sig.ra',
    'Sig.na',
    'Signor',
    'Signora',
    'Signorina',
    'Dott',
    'Dott.ssa',
    'Avv',
    'Ing',
    'Prof',
  ],
  introductions: ['mi chiamo', 'il mio nome \u00e8', 'nome:', 'paziente:', 'intestatario:'],
  greetings: ['Ciao', 'Caro', 'Cara', 'Gentile', 'Salve', 'Saluti,', 'Egregio'],
  particles: ['di', 'de', 'della', 'del', 'Lo', 'La', "D'"],
  months: [
    ['gennaio', 'gen'],
    ['febbraio', 'feb'],
    ['marzo', 'mar'],
    ['aprile', 'apr'],
    ['maggio', 'mag'],
    ['giugno', 'giu'],
    ['luglio', 'lug'],
    ['agosto', 'ago'],
    ['settembre', 'set'],
    ['ottobre', 'ott'],
    ['novembre', 'nov'],
    ['dicembre', 'dic'],
  ],
  birthCues: ['nato il', 'nata il', 'nato a', 'nata a', 'data di nascita', 'nascita', 'compleanno'],
  rules: [
    phone(
      'it/mobile',
      /(?<![\p{L}\p{N}.+-])3[0-9]{2}[ .-][0-9]{3}[ .-]?[0-9]{3,4}(?![\p{L}\p{N}-])|(?<![\p{L}\p{N}.+-])3[0-9]{2}[ .-][0-9]{6,7}(?![\p{L}\p{N}-])/gu,
    ),
    phone(
      'it/landline',
      /(?<![\p{L}\p{N}.+-])0[0-9]{1,3}[ /.-][0-9]{5,8}(?![\p{L}\p{N}-])|(?<![\p{L}\p{N}.+-])0[0-9]{1,3}[ .-][0-9]{3,4} [0-9]{3,4}(?![\p{L}\p{N}-])/gu,
    ),
    nationalId(
      'it/tax-code',
      /(?<![\p{L}\p{N}])[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z](?![\p{L}\p{N}])/giu,
      (match) => {
        const text = match.toUpperCase()
        const sum = [...text.slice(0, 15)].reduce(
          (total, character, index) =>
            total +
            (index % 2 === 0
              ? (ODD[character] ?? 0)
              : Number.parseInt(character, 36) - (/[A-Z]/.test(character) ? 10 : 0)),
          0,
        )
        return String.fromCharCode(65 + (sum % 26)) === text[15]
      },
    ),
  ],
}))
