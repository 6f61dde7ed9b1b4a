/** The command line as a user meets it: a process with its output and exit status. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');

function newest(folder: string): number {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((most, entry) => Math.max(most, fs.statSync(path.join(entry.parentPath, entry.name)).mtimeMs), 0);
}

/** The built command if it is at least as new as the sources; else the sources, which start more slowly. */
function command(): string[] {
  const built = path.join(root, 'dist', 'host', 'tools', 'cli.js');
  const sources = ['tools', 'lib', 'ops', 'variables', 'author', 'engines'].map(newest);
  if (fs.existsSync(built) && fs.statSync(built).mtimeMs >= Math.max(...sources)) return [built];
  return ['--require', 'tsx/cjs', path.join(root, 'tools', 'cli.ts')];
}

let found: string[] | undefined;

export interface CommandResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `engram …`. */
export function engram(...args: string[]): CommandResult {
  found ??= command();
  const { status, stdout, stderr } = spawnSync(process.execPath, [...found, ...args], {
    encoding: 'utf8',
    cwd: root,
    timeout: 120000,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}
