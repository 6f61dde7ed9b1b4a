/**
 * Builds everything that ships:
 *   build/chip      the chip side as ES5 modules (what bundles are made of)
 *   dist/*.js       bundles for engines, one per row of BUNDLES, and an ES module wrapper for Node
 *   dist/types      type declarations
 *   dist/host       the command line, authoring and engine adapters for Node
 *
 * `npm run build -- chip` leaves out dist/host.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { bundle, packageRoot } from '../tools/bundle';
import { BUNDLES } from './bundles';

const root = packageRoot();

/** Runs the TypeScript compiler on a project; its messages go to the terminal. */
function compile(project: string): Promise<void> {
  const compiler = require.resolve('typescript/bin/tsc');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [compiler, '-p', project], { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`tsc -p ${project} found errors`)),
    );
  });
}

/** Removes outputs whose source is gone, so that nothing stale is bundled or published. */
function prune(directory: string): void {
  if (!fs.existsSync(directory)) return;
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const stem = path.join(root, path.relative(directory, file)).replace(/(\.d\.ts|\.js)$/, '');
    if (!['.ts', '.mts', '.js', '.json'].some((extension) => fs.existsSync(stem + extension)))
      fs.rmSync(file);
  }
}

/** Lets `npx engram` in a checkout run this build: npm links the commands of dependencies only. */
function linkCommand(cli: string): void {
  const link = path.join(root, 'node_modules', '.bin', 'engram');
  if (!fs.existsSync(path.dirname(link)) || process.platform === 'win32') return;
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.relative(path.dirname(link), cli), link);
}

async function bundleAll(): Promise<void> {
  for (const { entry, out, minify } of BUNDLES) {
    if (!fs.existsSync(path.join(root, entry + '.ts'))) {
      throw new Error(`${entry}.ts is missing: ${out} is bundled from it`);
    }
    const code = await bundle({ entryFile: entry, minify });
    fs.writeFileSync(path.join(root, out), code);
    console.log(`${out}  ${(Buffer.byteLength(code) / 1024).toFixed(1)} KB`);
  }
}

/** Node finds no named exports in a script's module.exports; this wrapper names them for `import { load } from …`. */
function wrapForImport(bundlePath: string): void {
  const names = Object.keys(require(path.join(root, bundlePath)) as object);
  const text =
    `import engram from './${path.basename(bundlePath)}';\n` +
    names.map((name) => `export const ${name} = engram.${name};\n`).join('') +
    'export default engram;\n';
  fs.writeFileSync(path.join(root, bundlePath.replace(/\.js$/, '.mjs')), text);
}

async function main(): Promise<void> {
  const chipOnly = process.argv.includes('chip');
  fs.mkdirSync(path.join(root, 'dist'), { recursive: true });

  // Both compilers run at once; bundling needs only the chip side and must not wait for the host's verdict.
  const host = chipOnly ? Promise.resolve() : compile('tsconfig.host.json');
  const chip = compile('tsconfig.chip.json').then(async () => {
    prune(path.join(root, 'build', 'chip'));
    prune(path.join(root, 'dist', 'types'));
    await bundleAll();
    wrapForImport(BUNDLES[0].out);
  });
  const results = await Promise.allSettled([chip, host]);
  if (!chipOnly) prune(path.join(root, 'dist', 'host'));
  const cli = path.join(root, 'dist', 'host', 'tools', 'cli.js');
  if (fs.existsSync(cli)) {
    fs.chmodSync(cli, 0o755);
    linkCommand(cli);
  }

  for (const result of results) {
    if (result.status === 'rejected') {
      console.error('build: ' + (result.reason as Error).message);
      process.exitCode = 1;
    }
  }
}

void main();
