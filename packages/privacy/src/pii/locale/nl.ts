import { digitsOf, uniform, weighted } from '../check-digit.js'
import { locale, nationalId, type PiiLocale, phone, words } from './locale.js'

/** Dutch: the Netherlands. */
export const dutch: PiiLocale = /* @__PURE__ */ locale(() => ({
  language: 'nl',
  givenNames: words(`
    Jan Johannes Cornelis Hendrik Willem Pieter Gerrit Jacobus Peter Dirk Kees Henk Piet Hans Klaas Joost Maarten Jeroen Bas Sander Thijs
    Daan Sem Lucas Levi Finn Bram Milan Luuk Jesse Lars Ruben Thomas Tim Stijn Sven Mark Erik Rob Marcel Wouter Koen Niels
    Maria Johanna Anna Cornelia Elisabeth Hendrika Wilhelmina Petra Ingrid Monique Marieke Femke Sanne Anouk Lotte Emma Sophie Julia
    Mila Tess Zo\u00eb Eva Noor Fleur Iris Roos Lieke Maud Saar Lisa Sarah Esther Linda Mirjam Annemarie Carla Wendy Fatima Yara`),
  titles: ['Dhr', 'Mevr', 'Mw', 'Meneer', 'Mevrouw', 'Heer', 'Dr', 'Drs', 'Ir', 'Prof'],
  introductions: ['ik heet', 'mijn naam is', 'naam:', 'pati\u00ebnt:', 'contactpersoon:'],
  greetings: ['Beste', 'Hallo', 'Hoi', 'Dag', 'Lieve', 'Geachte', 'Groeten,', 'Groetjes,'],
  particles: ['van', 'de', 'der', 'den', 'van de', 'van den', 'van der', 'ter', 'ten'],
  months: [
    ['januari', 'jan'],
    ['februari', 'feb'],
    ['maart', 'mrt'],
    ['april', 'apr'],
    ['mei'],
    ['juni', 'jun'],
    ['juli', 'jul'],
    ['augustus', 'aug'],
    ['september', 'sep'],
    ['oktober', 'okt'],
    ['november', 'nov'],
    ['december', 'dec'],
  ],
  birthCues: ['geboren', 'geb.', 'geboortedatum', 'verjaardag'],
  rules: [
    phone('nl/mobile', /(?<![\p{L}\p{N}.+-])06[ -]?[0-9]{2}(?:[ ]?[0-9]{2}){3}(?![\p{L}\p{N}-])/gu),
    phone(
      'nl/landline',
      /(?<![\p{L}\p{N}.+-])0[1-57][0-9]{1,2}[ -][0-9]{3}(?: ?[0-9]{2}){2}(?![\p{L}\p{N}-])|(?<![\p{L}\p{N}.+-])0[1-57][0-9]{2}[ -][0-9]{6}(?![\p{L}\p{N}-])/gu,
    ),
    nationalId(
      'nl/citizen-service',
      /(?<![\p{L}\p{N}])[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3}(?![\p{L}\p{N}])|(?<![\p{L}\p{N}])[0-9]{3}[. ][0-9]{3}[. ][0-9]{3}(?![\p{L}\p{N}])/gu,
      (match, { before }) => {
        const digits = digitsOf(match)
        return (
          /(?:\bbsn|burgerservicenummer|sofinummer)[^\n]{0,12}$/iu.test(before) &&
          !uniform(digits) &&
          weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0
        )
      },
    ),
  ],
}))
