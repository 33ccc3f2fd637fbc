import { digitsOf, uniform } from '../check-digit.js'
import { locale, nationalId, type PiiLocale, phone, words } from './locale.js'

/** English: United States and United Kingdom. */
export const english: PiiLocale = /* @__PURE__ */ locale(() => ({
  language: 'en',
  givenNames: words(`
    James John Robert Michael William David Richard Joseph Thomas Charles Christopher Daniel Matthew Anthony Donald Steven Paul
    Andrew Joshua Kenneth Kevin Brian George Edward Ronald Timothy Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen
    Larry Justin Scott Brandon Benjamin Samuel Gregory Frank Alexander Raymond Patrick Jack Dennis Jerry Oliver Harry Liam Noah
    Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty Margaret Sandra Ashley Kimberly
    Emily Donna Michelle Carol Amanda Dorothy Melissa Deborah Stephanie Rebecca Sharon Laura Cynthia Kathleen Amy Angela Shirley
    Anna Emma Olivia Sophia Rachel Hannah Megan Chloe Charlotte Lucy Alice Helen Catherine Victoria Grace Priya Aisha Wei`),
  titles: ['Mr', 'Mrs', 'Ms', 'Miss', 'Dr', 'Prof', 'Sir', 'Dame', 'Mx'],
  introductions: ['my name is', 'i am called', 'name:', 'full name:', 'patient:', 'signed,'],
  greetings: ['Dear', 'Hi', 'Hello', 'Hey', 'Regards,', 'Thanks,', 'Cheers,', 'Sincerely,'],
  particles: ['van', 'de', 'bin', 'al', "O'"],
  months: [
    ['january', 'jan'],
    ['february', 'feb'],
    ['march', 'mar'],
    ['april', 'apr'],
    ['may'],
    ['june', 'jun'],
    ['july', 'jul'],
    ['august', 'aug'],
    ['september', 'sept', 'sep'],
    ['october', 'oct'],
    ['november', 'nov'],
    ['december', 'dec'],
  ],
  birthCues: ['born', 'date of birth', 'birth date', 'birthdate', 'birthday', 'dob', 'd.o.b.'],
  rules: [
    phone(
      'us/phone',
      /(?<![\p{L}\p{N}.+-])(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?: ?(?:x|ext\.?) ?[0-9]{1,5})?(?![\p{L}\p{N}-])/gu,
    ),
    phone(
      'gb/phone',
      /(?<![\p{L}\p{N}.+-])(?:07[0-9]{3} ?[0-9]{3} ?[0-9]{3}|0(?:20 [0-9]{4} [0-9]{4}|1[0-9]{3} [0-9]{5,6}|1[0-9]1 [0-9]{3} [0-9]{4}))(?![\p{L}\p{N}])/gu,
    ),
    nationalId(
      'us/social-security',
      /(?<![\p{L}\p{N}-])[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}(?![\p{L}\p{N}-])/gu,
      (match) => {
        const [area = '', group = '', serial = ''] = match.split(/[- ]/)
        return area !== '000' && area !== '666' && Number(area) < 900 && group !== '00' && serial !== '0000'
      },
    ),
    nationalId(
      'us/social-security-bare',
      /(?<![\p{L}\p{N}-])[0-9]{9}(?![\p{L}\p{N}-])/gu,
      (match, { before }) =>
        /(?:\bssn|social security(?: number)?)[ :#]{0,3}$/iu.test(before) && !uniform(digitsOf(match)),
    ),
    nationalId(
      'gb/national-insurance',
      /(?<![\p{L}\p{N}])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?![\p{L}\p{N}])/gu,
    ),
    nationalId(
      'gb/health-service',
      /(?<![\p{L}\p{N}-])[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}(?![\p{L}\p{N}-])/gu,
      (match, { before }) => {
        const digits = digitsOf(match)
        const sum = digits.slice(0, 9).reduce((total, digit, index) => total + digit * (10 - index), 0)
        return /\bnhs[^\n]{0,16}$/iu.test(before) && (11 - (sum % 11)) % 11 === digits[9]
      },
    ),
  ],
}))
