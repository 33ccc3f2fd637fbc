import { locale, nationalId, type PiiLocale, phone, words } from './locale.js'

/** Spanish: Spain. */
export const spanish: PiiLocale = /* @__PURE__ */ locale(() => ({
  language: 'es',
  givenNames: words(`
    Antonio Manuel Jos\u00e9 Francisco David Juan Javier Daniel Carlos Jes\u00fas Alejandro Miguel Rafael Pedro Pablo \u00c1ngel Sergio Fernando Jorge
    Luis Alberto \u00c1lvaro Diego Adri\u00e1n Ra\u00fal Iv\u00e1n Enrique Ram\u00f3n Vicente Rub\u00e9n \u00d3scar Andr\u00e9s Joaqu\u00edn Santiago Eduardo V\u00edctor Mario Roberto
    Hugo Mateo Mart\u00edn Lucas Gonzalo Ignacio
    Mar\u00eda Carmen Ana Isabel Laura Cristina Marta Dolores Luc\u00eda Josefa Antonia Pilar Elena Sara Paula Mercedes Raquel Beatriz Roc\u00edo
    Julia Patricia Silvia Teresa Rosario Encarnaci\u00f3n Irene Alba Andrea Sof\u00eda Claudia Nuria M\u00f3nica Alicia Sonia Eva \u00c1ngela Susana
    Yolanda Margarita Inmaculada Noelia Valentina Daniela Carla Ximena`),
  titles: ['Sr', 'Sra', 'Srta', 'Don', 'Do\u00f1a', 'D', 'D\u00f1a', 'Dr', 'Dra'],
  introductions: ['me llamo', 'mi nombre es', 'nombre:', 'paciente:', 'titular:'],
  greetings: ['Hola', 'Estimado', 'Estimada', 'Querido', 'Querida', 'Saludos,', 'Atentamente,'],
  particles: ['de', 'del', 'de la', 'de los', 'y'],
  months: [
    ['enero', 'ene'],
    ['febrero', 'feb'],
    ['marzo', 'mar'],
    ['abril', 'abr'],
    ['mayo'],
    ['junio', 'jun'],
    ['julio', 'jul'],
    ['agosto', 'ago'],
    ['septiembre', 'sept', 'setiembre'],
    ['octubre', 'oct'],
    ['noviembre', 'nov'],
    ['diciembre', 'dic'],
  ],
  birthCues: [
    'nacido el',
    'nacida el',
    'naci\u00f3 el',
    'nac\u00ed el',
    'fecha de nacimiento',
    'nacimiento',
    'cumplea\u00f1os',
  ],
  rules: [
    phone(
      'es/phone',
      /(?<![\p{L}\p{N}.+-])[6789][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{3}(?![\p{L}\p{N}-])|(?<![\p{L}\p{N}.+-])[6789][0-9]{2}(?: [0-9]{2}){3}(?![\p{L}\p{N}-])/gu,
    ),
    phone(
      'es/phone-bare',
      /(?<=(?:tel(?:\u00e9fono)?|m\u00f3vil|llamar? al|ll\u00e1mame al)[.:]? {0,2})[6789][0-9]{8}(?![\p{L}\p{N}])/giu,
    ),
    nationalId(
      'es/identity',
      /(?<![\p{L}\p{N}])(?:[0-9]{8}|[XYZ][ -]?[0-9]{7})[ -]?[A-Z](?![\p{L}\p{N}])/gu,
      (match) => {
        const text = match.replace(/[ -]/g, '')
        const number = Number(text.slice(0, -1).replace('X', '0').replace('Y', '1').replace('Z', '2'))
        return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === text.at(-1)
      },
    ),
  ],
}))
