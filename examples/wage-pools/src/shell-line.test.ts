import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { shellLine } from './shell-line.js'

test('a shell reads the same words again, whatever is in them', () => {
  const words = ['/tmp/a b/päth', "it's", '$HOME `id` "x"', '', 'plain-1.0', 'a\\b', '*']
  const line = shellLine(['printf', '%s\\n', ...words])
  expect(spawnSync('sh', ['-c', line], { encoding: 'utf8' }).stdout).toBe(
    words.map((word) => `${word}\n`).join(''),
  )
})

test('plain words stand as they are', () => {
  expect(shellLine(['node', '/opt/sealpool/verify.js', '--json'])).toBe('node /opt/sealpool/verify.js --json')
})
