import { digitsOf, uniform, weighted } from '../check-digit.js'
import { locale, nationalId, type PiiLocale, phone, words } from './locale.js'

const checkDigit = (sum: number): number => (sum % 11 < 2 ? 0 : 11 - (sum % 11))

/** Portuguese: Portugal and Brazil. */
export const portuguese: PiiLocale = /* @__PURE__ */ locale(() => ({
  language: 'pt',
  givenNames: words(`
    Jos\u00e9 Jo\u00e3o Ant\u00f3nio Ant\u00f4nio Francisco Carlos Paulo Pedro Lucas Luiz Lu\u00eds Marcos Gabriel Rafael Daniel Marcelo Bruno Eduardo Felipe Filipe
    Rodrigo Manuel Mateus Andr\u00e9 Fernando F\u00e1bio Leonardo Gustavo Guilherme Tiago Thiago Ricardo Miguel Diogo Rui Nuno Gon\u00e7alo Vasco
    Henrique Jorge V\u00edtor Hugo S\u00e9rgio Duarte Afonso
    Maria Ana Francisca Ant\u00f3nia Adriana Juliana M\u00e1rcia Fernanda Patr\u00edcia Aline Sandra Camila Amanda Bruna J\u00e9ssica Let\u00edcia J\u00falia Luciana
    Vanessa Mariana Gabriela Vit\u00f3ria Larissa Beatriz Rita In\u00eas Leonor Matilde Carolina Sofia Catarina Joana Marta Teresa Cristina
    Isabel Helena Margarida Filipa Raquel S\u00f3nia Paula Cl\u00e1udia`),
  titles: ['Sr', 'Sra', 'Srta', 'Dr', 'Dra', 'Dona', 'Senhor', 'Senhora', 'Eng', 'Prof'],
  introductions: [
    'meu nome \u00e9',
    'o meu nome \u00e9',
    'chamo-me',
    'me chamo',
    'nome:',
    'paciente:',
    'titular:',
  ],
  greetings: [
    'Ol\u00e1',
    'Caro',
    'Cara',
    'Oi',
    'Prezado',
    'Prezada',
    'Querido',
    'Querida',
    'Cumprimentos,',
    'Atenciosamente,',
  ],
  particles: ['de', 'da', 'do', 'dos', 'das', 'e'],
  months: [
    ['janeiro', 'jan'],
    ['fevereiro', 'fev'],
    ['mar\u00e7o', 'mar'],
    ['abril', 'abr'],
    ['maio', 'mai'],
    ['junho', 'jun'],
    ['julho', 'jul'],
    ['agosto', 'ago'],
    ['setembro', 'set'],
    ['outubro', 'out'],
    ['novembro', 'nov'],
    ['dezembro', 'dez'],
  ],
  birthCues: [
    'nascido em',
    'nascida em',
    'nascido a',
    'nascida a',
    'nasci em',
    'nasceu em',
    'data de nascimento',
    'nascimento',
    'anivers\u00e1rio',
  ],
  rules: [
    phone(
      'pt/phone',
      /(?<![\p{L}\p{N}.+-])(?:9[1236][0-9]|2[0-9]{2})[ .-][0-9]{3}[ .-][0-9]{3}(?![\p{L}\p{N}-])/gu,
    ),
    phone('br/phone', /(?<![\p{L}\p{N}.+-])\(?[1-9][0-9]\)? ?9?[0-9]{4}-[0-9]{4}(?![\p{L}\p{N}-])/gu),
    nationalId(
      'br/taxpayer',
      /(?<![\p{L}\p{N}])[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}(?![\p{L}\p{N}])/gu,
      (match, { before }) => {
        const digits = digitsOf(match)
        const written = /[.-]/.test(match) || /\bcpf[^\n]{0,8}$/iu.test(before)
        return (
          written &&
          !uniform(digits) &&
          checkDigit(weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2])) === digits[9] &&
          checkDigit(weighted(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) === digits[10]
        )
      },
    ),
    nationalId(
      'pt/taxpayer',
      /(?<![\p{L}\p{N}])[1235689][0-9]{2} ?[0-9]{3} ?[0-9]{3}(?![\p{L}\p{N}])/gu,
      (match, { before }) => {
        const digits = digitsOf(match)
        return (
          /(?:\bnif|contribuinte)[^\n]{0,12}$/iu.test(before) &&
          checkDigit(weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2])) === digits[8]
        )
      },
    ),
  ],
}))
