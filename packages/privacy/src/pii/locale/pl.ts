import { digitsOf, weighted } from '../check-digit.js'
import { locale, nationalId, type PiiLocale, phone, words } from './locale.js'

/** Polish: Poland. */
export const polish: PiiLocale = /* @__PURE__ */ locale(() => ({
  language: 'pl',
  givenNames: words(`
    Jan Andrzej Piotr Krzysztof Stanis\u0142aw Tomasz Pawe\u0142 J\u00f3zef Marcin Marek Micha\u0142 Grzegorz Jerzy Tadeusz Adam \u0141ukasz Zbigniew Ryszard Dariusz
    Henryk Mariusz Kazimierz Wojciech Robert Mateusz Marian Rafa\u0142 Jacek Janusz Miros\u0142aw Maciej S\u0142awomir Jaros\u0142aw Kamil Wies\u0142aw Roman
    W\u0142adys\u0142aw Jakub Artur Zdzis\u0142aw Szymon Filip Antoni Bartosz
    Anna Maria Katarzyna Ma\u0142gorzata Agnieszka Barbara Krystyna Ewa El\u017cbieta Zofia Teresa Magdalena Joanna Janina Monika Danuta Jadwiga
    Aleksandra Halina Irena Beata Marta Dorota Helena Karolina Gra\u017cyna Jolanta Iwona Marianna Natalia Paulina Justyna Sylwia Kinga
    Zuzanna Julia Maja Hanna Lena Alicja Weronika Oliwia`),
  titles: ['Pan', 'Pani', 'Pana', 'Panu', 'Pani\u0105', 'Dr', 'Prof', 'Mgr', 'In\u017c'],
  introductions: ['nazywam si\u0119', 'mam na imi\u0119', 'imi\u0119 i nazwisko:', 'pacjent:', 'pacjentka:'],
  greetings: [
    'Cze\u015b\u0107',
    'Drogi',
    'Droga',
    'Witaj',
    'Szanowny',
    'Szanowna',
    'Pozdrawiam,',
    'Dzie\u0144 dobry',
  ],
  particles: ['de', 'von'],
  months: [
    ['stycznia', 'stycze\u0144'],
    ['lutego', 'luty'],
    ['marca', 'marzec'],
    ['kwietnia', 'kwiecie\u0144'],
    ['maja', 'maj'],
    ['czerwca', 'czerwiec'],
    ['lipca', 'lipiec'],
    ['sierpnia', 'sierpie\u0144'],
    ['wrze\u015bnia', 'wrzesie\u0144'],
    ['pa\u017adziernika', 'pa\u017adziernik'],
    ['listopada', 'listopad'],
    ['grudnia', 'grudzie\u0144'],
  ],
  birthCues: ['urodzony', 'urodzona', 'ur.', 'data urodzenia', 'urodziny'],
  rules: [
    phone(
      'pl/phone',
      /(?<![\p{L}\p{N}.+-])[4-8][0-9]{2}[ -][0-9]{3}[ -][0-9]{3}(?![\p{L}\p{N}-])|(?<![\p{L}\p{N}.+-])\(?[1-9][0-9]\)? [0-9]{3} [0-9]{2} [0-9]{2}(?![\p{L}\p{N}-])/gu,
    ),
    nationalId('pl/pesel', /(?<![\p{L}\p{N}])[0-9]{11}(?![\p{L}\p{N}])/gu, (match) => {
      const digits = digitsOf(match)
      const month = Number(match.slice(2, 4)) % 20
      const day = Number(match.slice(4, 6))
      const check = (10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10
      return month >= 1 && month <= 12 && day >= 1 && day <= 31 && check === digits[10]
    }),
  ],
}))
