/** CRC-32 of snapshots of packed models, for engines that have none of their own. */
import { crc32 } from './crc32';

/** CRC-32 of two pieces of bytes, one after the other. */
export function crcOfBoth(head: Uint8Array, rest: Uint8Array): number {
  return crc32(rest, 0, rest.length, crc32(head, 0, head.length, 0));
}
