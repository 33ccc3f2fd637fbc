import { ClientError } from '../errors.js'

/** Reads the chain. @throws ClientError `CHAIN_READ_FAILED` with `place` */
export async function chainRead<Result>(place: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (cause) {
    throw new ClientError('CHAIN_READ_FAILED', place, 'the chain does not answer; try again', { cause })
  }
}
