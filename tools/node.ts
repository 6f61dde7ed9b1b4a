/** What Node has beyond the chip: `require('engram/node')`. */
import { inspect } from 'node:util';
import { Model } from '../lib/index';
import { VariableTable } from '../variables/table';

// in Node's REPL a model and its variables show what they are, not how they are made
for (const { prototype } of [Model, VariableTable]) {
  Object.defineProperty(prototype, inspect.custom, { value: prototype.toString, configurable: true });
}

export * from '../lib/index';
export { fileBackend } from './file_store';
export { readShared, shareState } from './shared_state';
export type { SharedHandle, SharedModel, SharedReading } from './shared_state';
