import type { PiiRule } from '../finding.js'

const secret = (name: string, pattern: RegExp): PiiRule => ({ type: 'secret', name, pattern })

/** Rules for keys, tokens and passwords. Prefixes are those that the issuers document so that leaks can be found. */
export const secretRules: readonly PiiRule[] = [
  secret('aws-access-key', /(?<![\p{L}\p{N}])(?:AKIA|ASIA)[0-9A-Z]{16}(?![\p{L}\p{N}])/gu),
  secret(
    'github-token',
    /(?<![\p{L}\p{N}])(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{22,251})(?![\p{L}\p{N}])/gu,
  ),
  secret('gitlab-token', /(?<![\p{L}\p{N}])glpat-[A-Za-z0-9_-]{20,64}(?![\p{L}\p{N}])/gu),
  secret('slack-token', /(?<![\p{L}\p{N}])xox[abeoprs]-[A-Za-z0-9-]{10,250}(?![\p{L}\p{N}])/gu),
  secret('stripe-key', /(?<![\p{L}\p{N}])(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,250}(?![\p{L}\p{N}])/gu),
  secret('google-key', /(?<![\p{L}\p{N}])AIza[0-9A-Za-z_-]{35}(?![\p{L}\p{N}])/gu),
  secret('npm-token', /(?<![\p{L}\p{N}])npm_[A-Za-z0-9]{36}(?![\p{L}\p{N}])/gu),
  secret('sendgrid-key', /(?<![\p{L}\p{N}])SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}(?![\p{L}\p{N}])/gu),
  secret('model-key', /(?<![\p{L}\p{N}])sk-(?:[a-z]{2,8}-)?[A-Za-z0-9_-]{20,200}(?![\p{L}\p{N}])/gu),
  secret(
    'json-web-token',
    /(?<![\p{L}\p{N}])eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{10,2000}/gu,
  ),
  secret(
    'private-key-block',
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s:,-]{0,20000}?-----END [A-Z ]{0,40}PRIVATE KEY-----/gu,
  ),
  {
    type: 'secret',
    name: 'hexadecimal-key',
    pattern: /(?<![\p{L}\p{N}])(?:0x)?[0-9a-f]{64}(?![\p{L}\p{N}])/giu,
    // Digests and transaction hashes look the same; only what is said about it tells.
    accept: (_, { before }) =>
      /(?:private[ _-]?key|secret|priv[ _-]?key|privater? schl\u00fcssel|cl\u00e9 priv\u00e9e|clave privada|chiave privata|chave privada|priv\u00e9sleutel|klucz prywatny)[^\n]{0,16}$/iu.test(
        before,
      ),
  },
  {
    type: 'secret',
    name: 'password',
    pattern:
      /(?<![\p{L}\p{N}])(?:password|passwd|pwd|passphrase|passwort|kennwort|mot de passe|contrase\u00f1a|clave de acceso|senha|palavra-passe|wachtwoord|has\u0142o|api[_ -]?key|api[_ -]?token|access[_ -]?token|client[_ -]?secret|secret[_ -]?key)(?: ist| is| est| es| \u00e8| \u00e9| to)? ?[:=] ?["']?[^\s"',;]{6,128}/giu,
    accept: (match) => {
      const from = match.search(/[:=]/) + 1
      const skipped = /^[ "']*/.exec(match.slice(from))?.[0].length ?? 0
      return { from: from + skipped, to: match.length }
    },
  },
  {
    type: 'secret',
    name: 'seed-phrase',
    pattern:
      /(?:seed phrase|recovery phrase|mnemonic|seed-phrase|wiederherstellungsphrase|phrase de r\u00e9cup\u00e9ration|frase semilla|frase di recupero|frase de recupera\u00e7\u00e3o|herstelzin|fraza odzyskiwania)[^\n:]{0,24}: ?(?:[a-z]{3,8} ){11,23}[a-z]{3,8}/giu,
    accept: (match) => {
      const from = match.indexOf(':') + 1
      return { from: from + (match[from] === ' ' ? 1 : 0), to: match.length }
    },
  },
]
