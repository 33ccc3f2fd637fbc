import { digitsOf, modulo11And10, uniform } from '../check-digit.js'
import { locale, nationalId, type PiiLocale, phone, words } from './locale.js'

/** German: Germany, Austria, Switzerland. */
export const german: PiiLocale = /* @__PURE__ */ locale(() => ({
  language: 'de',
  givenNames: words(`
    Hans Peter Michael Thomas Andreas Wolfgang Klaus J\u00fcrgen G\u00fcnter Stefan Christian Uwe Werner Horst Frank Dieter Manfred Gerhard
    Bernd Torsten Mathias Matthias Sebastian Jan Tobias Lukas Leon Paul Jonas Felix Maximilian Moritz Florian Daniel Markus
    Martin Alexander Philipp Johannes Karl Heinz Friedrich Heinrich Helmut Rainer Sven Niklas Emil Anton Mehmet
    Maria Ursula Monika Petra Elisabeth Sabine Renate Helga Karin Brigitte Ingrid Erika Andrea Gisela Claudia Susanne Gabriele
    Christa Christine Hildegard Anna Birgit Barbara Gertrud Heike Marianne Elke Martina Angelika Irmgard Katharina Julia Lena
    Laura Hannah Emma Mia Sophie Lea Johanna Franziska Stefanie Nicole Melanie Jana Anja Kerstin Ay\u015fe Greta Frieda`),
  titles: ['Herr', 'Frau', 'Herrn', 'Dr', 'Prof', 'Dipl.-Ing', 'Fr', 'Hr'],
  introductions: [
    'ich hei\u00dfe',
    'mein name ist',
    'name:',
    'patientin:',
    'patient:',
    'ansprechpartner:',
    'ansprechpartnerin:',
  ],
  greetings: ['Hallo', 'Liebe', 'Lieber', 'Gr\u00fc\u00dfe,', 'Gru\u00df,', 'Sehr geehrte', 'Guten Tag'],
  particles: ['von', 'van', 'zu', 'der', 'vom', 'zum'],
  months: [
    ['januar', 'j\u00e4nner', 'jan'],
    ['februar', 'feb'],
    ['m\u00e4rz'],
    ['april', 'apr'],
    ['mai'],
    ['juni', 'jun'],
    ['juli', 'jul'],
    ['august', 'aug'],
    ['september', 'sep'],
    ['oktober', 'okt'],
    ['november', 'nov'],
    ['dezember', 'dez'],
  ],
  birthCues: ['geboren', 'geb.', 'geburtsdatum', 'geburtstag', 'jahrgang'],
  rules: [
    phone(
      'de/phone',
      /(?<![\p{L}\p{N}.+/-])\(?0(?:[1-9][0-9]{1,4})\)?(?: ?\/ ?| ?- ?| )[0-9]{3,8}(?:[ -][0-9]{1,6}){0,3}(?![\p{L}\p{N}])/gu,
    ),
    nationalId('de/tax-number', /(?<![\p{L}\p{N}])[1-9][0-9](?: ?[0-9]{3}){3}(?![\p{L}\p{N}])/gu, (match) => {
      const digits = digitsOf(match)
      // One digit of the first ten comes twice or thrice, which rules out most numbers that pass the check by chance.
      const different = new Set(digits.slice(0, 10)).size
      return (different === 9 || different === 8) && modulo11And10(digits)
    }),
    nationalId(
      'de/social-insurance',
      /(?<![\p{L}\p{N}])[0-9]{2} ?(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2} ?[A-Z] ?[0-9]{3}(?![\p{L}\p{N}])/gu,
      (match) => {
        const text = match.replace(/ /g, '')
        const letter = String((text.charCodeAt(8) ?? 65) - 64).padStart(2, '0')
        const digits = digitsOf(text.slice(0, 8) + letter + text.slice(9, 11))
        const factors = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]
        const sum = factors.reduce((total, factor, index) => {
          const product = factor * (digits[index] ?? 0)
          return total + Math.floor(product / 10) + (product % 10)
        }, 0)
        return sum % 10 === Number(text[11])
      },
    ),
    nationalId(
      'at/social-insurance',
      /(?<![\p{L}\p{N}])[1-9][0-9]{3} ?(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2}(?![\p{L}\p{N}])/gu,
      (match, { before }) => {
        const digits = digitsOf(match)
        const sum = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6].reduce(
          (total, weight, index) => total + weight * (digits[index] ?? 0),
          0,
        )
        return /(?:svnr|sv-nummer|versicherungsnummer)[^\n]{0,12}$/iu.test(before) && sum % 11 === digits[3]
      },
    ),
    nationalId(
      'ch/ahv',
      /(?<![\p{L}\p{N}])756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}(?![\p{L}\p{N}])/gu,
      (match) => {
        const digits = digitsOf(match)
        const sum = digits
          .slice(0, 12)
          .reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0)
        return (10 - (sum % 10)) % 10 === digits[12] && !uniform(digits.slice(3))
      },
    ),
  ],
}))
