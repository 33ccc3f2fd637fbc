import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { request as forward, type IncomingMessage, type RequestListener } from 'node:http'

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/**
 * What S3 checks before it lets a request in and s3rver does not: Signature Version 4 over what really arrived, the time,
 * and the body's digest. Written from Amazon's description with Node's crypto, apart from the code under test.
 */
export function signatureGate(options: {
  readonly port: number
  readonly secrets: Readonly<Record<string, string>>
}): RequestListener {
  return (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      const problem = signatureProblem(request, body, options.secrets)
      if (problem !== undefined) {
        const text = `<?xml version="1.0"?><Error><Code>${problem}</Code></Error>`
        response.writeHead(403, { 'content-type': 'application/xml' }).end(text)
        return
      }
      const { method, url: path, headers } = request
      const target = { host: '127.0.0.1', port: options.port, method, path, headers }
      forward(target, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      }).end(body)
    })
  }
}

function signatureProblem(
  request: IncomingMessage,
  body: Buffer,
  secrets: Readonly<Record<string, string>>,
): string | undefined {
  const { headers } = request
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    )
  if (given === null) return 'AccessDenied'
  const [, id = '', day = '', region = '', names = '', signature = ''] = given
  const secret = secrets[id]
  if (secret === undefined) return 'InvalidAccessKeyId'
  const time = String(headers['x-amz-date'])
  const [, year, month, date, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? []
  const sent = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`)
  if (!(Math.abs(Date.now() - sent) < 15 * 60_000) || !time.startsWith(day)) return 'RequestTimeTooSkewed'
  if (headers['x-amz-content-sha256'] !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  const signed = names.split(';')
  const mandatory = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))]
  if (mandatory.some((name) => !signed.includes(name))) return 'AccessDenied'
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const canonical = `${request.method}\n${path}\n${query}\n${signed.map((name) => `${name}:${headers[name]}\n`).join('')}\n${names}\n${sha256(body)}`
  const scope = `${day}/${region}/s3/aws4_request`
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request')
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`)
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch'
}
