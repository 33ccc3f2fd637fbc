import { describe, expect, it } from 'vitest'
import { signS3Request } from './s3-signature.js'

/* Examples of "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3 API reference. */
const options = {
  region: 'us-east-1',
  credentials: {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  },
  at: new Date('2013-05-24T00:00:00Z'),
}
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

describe('AWS Signature Version 4', () => {
  it.each([
    [
      'GET object',
      {
        method: 'GET',
        url: 'https://examplebucket.s3.amazonaws.com/test.txt',
        headers: { range: 'bytes=0-9' },
        bodyDigest: empty,
      },
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT object',
      {
        method: 'PUT',
        url: 'https://examplebucket.s3.amazonaws.com/test%24file.text',
        headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
        bodyDigest: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      },
      'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      'GET bucket lifecycle',
      {
        method: 'GET',
        url: 'https://examplebucket.s3.amazonaws.com/?lifecycle',
        headers: {},
        bodyDigest: empty,
      },
      'host;x-amz-content-sha256;x-amz-date',
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'GET bucket (list objects)',
      {
        method: 'GET',
        url: 'https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J',
        headers: {},
        bodyDigest: empty,
      },
      'host;x-amz-content-sha256;x-amz-date',
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ] as const)('signs %s as Amazon does', (_name, request, names, signature) => {
    const { authorization } = signS3Request({ ...request, url: new URL(request.url) }, options)
    expect(authorization).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${signature}`,
    )
  })

  it('signs the token of temporary credentials too', () => {
    const request = { method: 'GET', url: new URL('https://b.example/x'), headers: {}, bodyDigest: empty }
    const credentials = { ...options.credentials, sessionToken: 'token' }
    const headers = signS3Request(request, { ...options, credentials })
    expect(headers['x-amz-security-token']).toBe('token')
    expect(headers['authorization']).toContain(
      'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,',
    )
  })

  it('encodes what RFC 3986 reserves in a query, and sorts it', () => {
    const request = (query: string) => ({
      method: 'GET',
      url: new URL(`https://b.example/x?${query}`),
      headers: {},
      bodyDigest: empty,
    })
    const signed = (query: string) => signS3Request(request(query), options)['authorization']
    expect(signed("a=!'()*")).toBe(signed('a=%21%27%28%29%2A'))
    expect(signed('b=1&a=2')).toBe(signed('a=2&b=1'))
    expect(signed('a=1')).not.toBe(signed('a=2'))
  })
})
