/** Unsigned 64-bit arithmetic of the signal operators, in numbers of at most 53 bits. */

/** The low 32 bits of x >> shift, for x = high · 2³² + low; 0 ≤ shift < 64. */
function shiftedLow(high: number, low: number, shift: number): number {
  if (shift > 31) return high >>> (shift - 32);
  return shift ? ((low >>> shift) | (high << (32 - shift))) >>> 0 : low >>> 0;
}

/** The low 32 bits of ((a·b + c·d) mod 2⁶⁴) >> shift for uint32 a, b, c, d; 0 ≤ shift < 64. */
export function multiplyShift(a: number, b: number, c: number, d: number, shift: number): number {
  const upper = a * (b >>> 16) + c * (d >>> 16);
  const lower = a * (b & 65535) + c * (d & 65535);
  const rest = (upper % 65536) * 65536 + lower;
  return shiftedLow(Math.floor(upper / 65536) + Math.floor(rest / 4294967296), rest, shift);
}

/**
 * The square root of the uint64 high · 2³² + low, rounded to the nearest integer, as TFLM's signal library has it: not
 * beyond 65535 when `high` is 0, nor beyond 2³² − 1.
 */
export function squareRoot(high: number, low: number): number {
  let root = Math.min(Math.floor(Math.sqrt(high * 4294967296 + low)), 4294967295);
  const a = Math.floor(root / 65536);
  const b = root % 65536;
  // what root² leaves; a floating-point root can be off by one
  let rest = (high - a * a) * 4294967296 + (low - 2 * a * b * 65536) - b * b;
  if (rest < 0) {
    root--;
    rest += 2 * root + 1;
  } else if (rest > 2 * root) {
    rest -= 2 * root + 1;
    root++;
  }
  return rest > root && root !== (high ? 4294967295 : 65535) ? root + 1 : root;
}
