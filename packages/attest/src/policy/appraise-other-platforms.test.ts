import {
  aged,
  azure,
  azureHardware,
  enclave,
  hex,
  nitro,
  nvidia,
  nvidiaToken,
  snpPolicy,
  table,
  turned,
} from '../testing/platform-appraisal-table.js'

table('azure', {
  'a register': { failing: { images: [{ name: 'vm', registers: { '4': hex(5, 32) } }] }, says: /no image/ },
  'a register that the quote does not cover': { change: { registers: { 4: hex(4, 32) } }, says: /no image/ },
  'no image': { failing: { images: [] }, says: /no image/ },
  'attestation key': {
    rules: { attestationKeys: [azure.attestationKey] },
    failing: { attestationKeys: [hex(1, 32)] },
    says: /vTPM’s key/,
  },
  hardware: { change: { hardware: null }, answer: 'not-proved', says: /hardware under it was not verified/ },
  'hardware that was lost': {
    change: { hardware: undefined },
    answer: 'not-proved',
    says: /hardware under it/,
  },
  'the hardware’s policy': {
    failing: { hardware: { ...snpPolicy, snp: { minimumTcb: {} } } },
    says: /no minimum TCB/,
  },
  'the hardware’s root': {
    failing: { hardware: { ...snpPolicy, roots: ['amd'] } },
    says: /does not name its root/,
  },
  'a check that fails': {
    change: turned(azure.checks, 'tpm-signature', 'fail'),
    answer: 'false',
    says: /attestation key/,
  },
  'the nonce of the policy': {
    rules: { nonce: azure.nonce },
    failing: { nonce: '0x06' },
    of: turned(azure.checks, 'nonce', 'not-checked'),
    says: /another nonce than the policy/,
  },
  'another nonce than the verifier’s': {
    rules: { nonce: azure.nonce },
    change: turned(azure.checks, 'nonce', 'fail'),
    answer: 'false',
    says: /made for the nonce/,
  },
  'debug, whatever the verifier allows': {
    change: { hardware: { ...azureHardware, claims: { ...azureHardware.claims, debug: true } } },
    says: /runs under debug/,
  },
  'a nonce that nobody asked for': {
    change: turned(azure.checks, 'nonce', 'not-checked'),
    answer: 'not-proved',
    says: /nonce/,
  },
})
const signed = { claims: { ...nitro.claims, pcrs: { ...nitro.claims.pcrs, 8: hex(8, 48) } } }
const nitroImages = (registers: object) => ({
  images: [{ name: 'e', registers: { ...enclave, ...registers } }],
})
table('nitro', {
  PCR0: { failing: nitroImages({ '0': hex(9, 48) }), says: /no image/ },
  PCR1: { failing: nitroImages({ '1': hex(9, 48) }), says: /no image/ },
  PCR2: { failing: nitroImages({ '2': hex(9, 48) }), says: /no image/ },
  'a register that is not there': { failing: nitroImages({ '8': hex(9, 48) }), says: /no image/ },
  'a verdict that has lost PCR8': {
    change: { claims: { ...nitro.claims, pcrs: enclave } },
    says: /PCR8 is missing/,
  },
  'a signer whom no image names': { change: signed, says: /names the signer \(PCR8\)/ },
  'another signer': { failing: nitroImages({ '8': hex(9, 48) }), change: signed, says: /no image/ },
  'a signer whom only another image names': {
    rules: {
      images: [...nitroImages({}).images, ...nitroImages({ '0': hex(9, 48), '8': hex(8, 48) }).images],
    },
    change: signed,
    says: /names the signer/,
  },
  'the nonce of the policy': {
    rules: { nonce: '0x06' },
    change: { claims: { ...nitro.claims, nonce: '0x07' } },
    says: /another nonce than the policy/,
    of: { claims: { ...nitro.claims, nonce: '0x06' } },
  },
  'no nonce, where the policy names one': { failing: { nonce: '0x06' }, says: /another nonce/ },
  'an age': {
    rules: { maximumAgeSeconds: 10 },
    failing: { maximumAgeSeconds: 9 },
    of: aged(10),
    says: /10 seconds old, the policy allows 9/,
  },
  'a moment after the verdict’s': {
    rules: { maximumAgeSeconds: 10 },
    of: aged(-60),
    change: aged(-61),
    says: /after the moment/,
  },
  debug: { change: { claims: { ...nitro.claims, debug: true } }, says: /debug mode/ },
  'module id': { rules: { moduleIds: ['i-1'] }, failing: { moduleIds: ['i-2'] }, says: /this module/ },
  'a document that is too old': {
    change: turned(nitro.checks, 'fresh', 'fail'),
    answer: 'not-proved',
    says: /not long before/,
  },
  'another root': {
    change: turned(nitro.checks, 'root-trusted', 'fail'),
    answer: 'false',
    says: /pinned root/,
  },
})
table('nvidia', {
  'a block': {
    rules: { images: [{ name: 'driver', registers: { '2': hex(2, 48) } }] },
    failing: { images: [{ name: 'driver', registers: { '2': hex(3, 48) } }] },
    says: /no image/,
  },
  'a block that the device did not measure': {
    rules: { images: [{ name: 'driver', registers: { '2': hex(2, 48) } }] },
    failing: { images: [{ name: 'driver', registers: { '3': hex(2, 48) } }] },
    says: /no image/,
  },
  device: {
    rules: { devices: [hex(7, 32)] },
    failing: { devices: [hex(8, 32)] },
    says: /this device/,
  },
  'a device that is not told': {
    rules: { devices: [hex(7, 32)] },
    change: { deviceKey: null },
    says: /this device/,
  },
  'type of device': {
    rules: { deviceTypes: ['GH100'] },
    failing: { deviceTypes: ['GB100'] },
    says: /this type of device/,
  },
  'the nonce of the policy': {
    rules: { nonce: hex(6, 32) },
    failing: { nonce: hex(7, 32) },
    of: turned(nvidia.checks, 'nonce', 'not-checked'),
    says: /another nonce than the policy/,
  },
  'a nonce that nobody asked for': {
    change: turned(nvidia.checks, 'nonce', 'not-checked'),
    answer: 'not-proved',
    says: /nonce/,
  },
  'revocation that nobody asked for': {
    change: turned(nvidia.checks, 'not-revoked', 'not-checked'),
    answer: 'not-proved',
    says: /revoked or on hold/,
  },
  'a revoked device, offline or not': {
    rules: { allowOfflineOnly: true },
    change: turned(nvidia.checks, 'not-revoked', 'fail'),
    answer: 'false',
    says: /revoked or on hold/,
  },
  'measurements without reference values': {
    change: turned(nvidia.checks, 'measurements', 'not-checked'),
    answer: 'not-proved',
    says: /published/,
  },
  'other measurements than published, offline or not': {
    rules: { allowOfflineOnly: true },
    change: turned(nvidia.checks, 'measurements', 'fail'),
    answer: 'false',
    says: /published/,
  },
})
table('nvidiaToken', {
  model: {
    rules: { hardwareModels: ['GH100 A01 GSP BROM'] },
    failing: { hardwareModels: ['GB100'] },
    says: /model of GPU-0/,
  },
  driver: {
    rules: { driverVersions: ['550.90.07'] },
    failing: { driverVersions: ['1'] },
    says: /driver of GPU-0/,
  },
  VBIOS: {
    rules: { vbiosVersions: ['96.00.9F.00.01'] },
    failing: { vbiosVersions: [] },
    says: /VBIOS of GPU-0/,
  },
  'a model that is not told': {
    rules: { hardwareModels: ['GH100 A01 GSP BROM'] },
    change: { devices: nvidiaToken.devices.map((one) => ({ ...one, hardwareModel: null })) },
    says: /model of GPU-0/,
  },
  'the nonce of the policy': {
    rules: { nonce: hex(6, 32) },
    failing: { nonce: hex(7, 32) },
    of: turned(nvidiaToken.checks, 'nonce', 'not-checked'),
    says: /another nonce than the policy/,
  },
  'a nonce that nobody asked for': {
    change: turned(nvidiaToken.checks, 'nonce', 'not-checked'),
    answer: 'not-proved',
    says: /nonce/,
  },
  'an age': {
    rules: { maximumAgeSeconds: 60 },
    failing: { maximumAgeSeconds: 59 },
    says: /60 seconds old, the policy allows 59/,
  },
  'a time of issue that is not told': {
    rules: { maximumAgeSeconds: 60 },
    change: { issuedAt: null },
    says: /does not tell when/,
  },
  'a token that has ended': {
    change: turned(nvidiaToken.checks, 'token-dates', 'fail'),
    answer: 'not-proved',
    says: /valid at the moment/,
  },
  'a token that nobody signed': {
    change: turned(nvidiaToken.checks, 'signatures', 'fail'),
    answer: 'false',
    says: /signed by a key/,
  },
})
