import { locale, nationalId, type PiiLocale, phone, words } from './locale.js'

/** French: France, Belgium. */
export const french: PiiLocale = /* @__PURE__ */ locale(() => ({
  language: 'fr',
  givenNames: words(`
    Jean Pierre Michel Andr\u00e9 Philippe Alain Bernard Jacques Daniel Louis Christophe Nicolas Laurent Patrick St\u00e9phane Fr\u00e9d\u00e9ric David
    S\u00e9bastien Julien Christian \u00c9ric Thierry Olivier Pascal Thomas Alexandre Antoine Maxime Lucas Hugo Gabriel L\u00e9o Rapha\u00ebl Arthur
    Jules Paul Guillaume Mathieu Vincent Fran\u00e7ois Marc Henri Gilles Yves Karim Mohamed
    Marie Nathalie Isabelle Sylvie Catherine Fran\u00e7oise Martine Christine Monique Val\u00e9rie Sandrine V\u00e9ronique Nicole St\u00e9phanie Sophie
    C\u00e9line Chantal Patricia Brigitte Julie Aur\u00e9lie Laurence Christelle Dominique \u00c9milie Caroline Am\u00e9lie Claire Camille Manon L\u00e9a
    Chlo\u00e9 Emma Louise Alice Jeanne Juliette Charlotte \u00c9lodie H\u00e9l\u00e8ne Anne Agn\u00e8s Fatima In\u00e8s`),
  titles: ['M', 'Mme', 'Mlle', 'Monsieur', 'Madame', 'Mademoiselle', 'Dr', 'Docteur', 'Pr', 'Ma\u00eetre'],
  introductions: [
    "je m'appelle",
    'je m\u2019appelle',
    'mon nom est',
    'nom :',
    'nom:',
    'patient :',
    'patiente :',
  ],
  greetings: ['Bonjour', 'Cher', 'Ch\u00e8re', 'Salut', 'Cordialement,', 'Coucou'],
  particles: ['de', 'du', 'de la', 'des', 'Le', 'La', "d'"],
  months: [
    ['janvier', 'janv'],
    ['f\u00e9vrier', 'f\u00e9vr'],
    ['mars'],
    ['avril', 'avr'],
    ['mai'],
    ['juin'],
    ['juillet', 'juil'],
    ['ao\u00fbt'],
    ['septembre', 'sept'],
    ['octobre', 'oct'],
    ['novembre', 'nov'],
    ['d\u00e9cembre', 'd\u00e9c'],
  ],
  birthCues: ['n\u00e9 le', 'n\u00e9e le', 'n\u00e9(e) le', 'date de naissance', 'naissance', 'anniversaire'],
  rules: [
    phone(
      'fr/phone',
      /(?<![\p{L}\p{N}.+-])0[1-9](?:[ .-][0-9]{2}){4}(?![\p{L}\p{N}])|(?<![\p{L}\p{N}.+-])0[1-79][0-9]{8}(?![\p{L}\p{N}])/gu,
    ),
    phone('be/phone', /(?<![\p{L}\p{N}.+-])04[0-9]{2}[ /][0-9]{2}[ .][0-9]{2}[ .][0-9]{2}(?![\p{L}\p{N}])/gu),
    nationalId(
      'fr/social-security',
      /(?<![\p{L}\p{N}])[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}(?![\p{L}\p{N}])/gu,
      (match) => {
        const text = match.replace(/ /g, '').replace('2A', '19').replace('2B', '18')
        if (!/^[0-9]{15}$/.test(text)) return false
        return 97 - Number(BigInt(text.slice(0, 13)) % 97n) === Number(text.slice(13))
      },
    ),
    nationalId(
      'be/national-number',
      /(?<![\p{L}\p{N}])[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}(?![\p{L}\p{N}])/gu,
      (match) => {
        const text = match.replace(/[.-]/g, '')
        const check = Number(text.slice(9))
        return ['', '2'].some((century) => 97 - (Number(century + text.slice(0, 9)) % 97) === check)
      },
    ),
  ],
}))
