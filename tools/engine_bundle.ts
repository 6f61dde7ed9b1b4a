/** The runtime as it ships, for running on an engine. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from './bundle';

/**
 * Text of a shipped bundle.
 * @throws Error when it is not built
 */
export function shippedBundle(name = 'engram.all.min.js'): string {
  const file = path.join(packageRoot(), 'dist', name);
  if (!fs.existsSync(file)) throw new Error(`dist/${name} is missing: run "npm run build" first`);
  return fs.readFileSync(file, 'utf8');
}
