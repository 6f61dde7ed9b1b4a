/** Weights of packed models on Espruino: mapped from Storage, or in the module's text. */
import { checkWeights } from '../../lib/packed_check';

declare const E: {
  toFlatString(text: string): string | undefined;
  toArrayBuffer(text: string): ArrayBuffer;
};
declare function require(name: 'Storage'): {
  readArrayBuffer(name: string): ArrayBuffer | undefined;
  read(name: string, offset: number, length: number): string;
};
declare function atob(text: string): string;

function checked(
  weights: ArrayBuffer | undefined,
  name: string,
  bytes: number,
  crc: number,
  fingerprint: number,
): ArrayBuffer {
  if (!weights || weights.byteLength < 16)
    throw new Error('Storage has no ' + name + ' of ' + bytes + ' bytes: send it');
  checkWeights(weights, name, bytes, crc, fingerprint);
  return weights;
}

/** Weights from a file in Storage. Where flash can be mapped, they take no RAM. */
export function fromStorage(name: string, bytes: number, crc: number, fingerprint: number): ArrayBuffer {
  return checked(require('Storage').readArrayBuffer(name), name, bytes, crc, fingerprint);
}

/** A part of a file that lies where views on the whole file cannot begin. */
export function partOf(name: string, offset: number, length: number): ArrayBuffer {
  return E.toArrayBuffer(require('Storage').read(name, offset, length));
}

/** Weights from base64 in the module. */
export function fromText(
  text: string,
  name: string,
  bytes: number,
  crc: number,
  fingerprint: number,
): ArrayBuffer {
  const string = atob(text);
  return checked(E.toArrayBuffer(E.toFlatString(string) || string), name, bytes, crc, fingerprint);
}

declare const process: { memory(collect?: boolean): { free: number; blocksize: number } };

/**
 * Throws before anything is allocated if fewer variables are free than the model takes: Espruino cannot catch it later.
 * Builds for computers, whose variables are larger than 16 bytes, get more when they are full.
 */
export function checkMemory(variables: number, name: string): void {
  const memory = process.memory();
  if (memory.free < variables && memory.blocksize < 17)
    throw new Error(
      name +
        ' needs about ' +
        variables +
        ' variables (' +
        variables * memory.blocksize +
        ' bytes), but ' +
        memory.free +
        ' are free',
    );
}
