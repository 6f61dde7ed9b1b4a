/** What Node has beyond the chip: `require('engram/node')`. */
export * from '../lib/index';
export { fileBackend } from './file_store';
export { readShared, shareState } from './shared_state';
export type { SharedHandle, SharedModel, SharedReading } from './shared_state';
