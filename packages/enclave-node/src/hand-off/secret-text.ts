import * as z from 'zod'

/** 32 bytes in base64url, in the one form that they have: what passes can be decoded. */
export const secretText = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)
