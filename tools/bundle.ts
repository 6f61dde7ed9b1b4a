/**
 * Bundles compiled chip-side modules into one ES5 script that is a CommonJS module (Node, Espruino's `require`) and,
 * where there are no modules, defines one global.
 *
 * Rollup puts modules in the order in which they depend on each other and keeps the order inside of them, which is
 * what engines without function hoisting need; terser is kept from everything that is not ES5.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { rollup, type Plugin } from 'rollup';
import { minify as terser } from 'terser';
import { INTERNAL_NAMES } from './internal_names';
import { repairScopes } from './repair';

export interface BundleOptions {
  /** Module to bundle, relative to the compiled chip side, without extension: `lib/index`. Or give `entrySource`. */
  entryFile?: string;
  /** ES module text to bundle. It imports relative to the compiled chip side: `./lib/index`, `./ops/pooling`. */
  entrySource?: string;
  /** Shorten: no comments, short local names. Default false. */
  minify?: boolean;
  /** Global that the script defines where there are no modules. Default `engram`. */
  name?: string;
  /**
   * script: as above, the default; value: the same, but the entry's default export is the global and the module;
   * module: the statements themselves, for an engine whose modules have a scope of their own (the entry sets
   * `module.exports`).
   */
  format?: 'script' | 'value' | 'module';
  /** Values of constants that modules only declare; what they rule out is left out. */
  constants?: Record<string, boolean>;
  /** Modules of the chip side that take the place of others, by their paths without extension. */
  replaced?: Record<string, string>;
  /** Text put before everything, such as a comment that names what the bundle holds. */
  banner?: string;
  /** Directory of the compiled chip side. Default: `build/chip` of this package. */
  modules?: string;
}

const GENERATED_ENTRY = '\0generated-entry';

/** The package's own directory, whether this runs from its sources or compiled. */
export function packageRoot(): string {
  let directory = __dirname;
  while (!fs.existsSync(path.join(directory, 'package.json'))) {
    const parent = path.dirname(directory);
    if (parent === directory) throw new Error('no package.json above ' + __dirname);
    directory = parent;
  }
  return directory;
}

/**
 * Bundles one entry and returns the script's text.
 *
 * Throws when the entry or the compiled chip side is missing, when a module imports something from outside of the chip
 * side (a Node module, a package), and when modules import each other in a circle, since then no order of definition
 * is right on an engine without hoisting.
 */
export async function bundle(options: BundleOptions): Promise<string> {
  const modules = path.resolve(options.modules ?? path.join(packageRoot(), 'build', 'chip'));
  if (!fs.existsSync(modules)) {
    throw new Error(`the compiled chip side is missing (${modules}): run "npm run build" first`);
  }
  if ((options.entryFile === undefined) === (options.entrySource === undefined)) {
    throw new Error('bundle expects either entryFile or entrySource');
  }
  let input = GENERATED_ENTRY;
  if (options.entryFile !== undefined) {
    input = path.join(modules, options.entryFile + '.js');
    if (!fs.existsSync(input))
      throw new Error(`there is no ${options.entryFile} in the compiled chip side (${input})`);
  }
  const name = options.name ?? 'engram';

  const build = await rollup({
    input,
    plugins: [
      chipModules(modules, options.entrySource, options.replaced ?? {}),
      constantValues(options.constants ?? {}),
    ],
    // reading a property of a typed array does nothing else
    treeshake: { propertyReadSideEffects: false },
    onwarn(warning) {
      if (warning.code === 'EMPTY_BUNDLE') return;
      throw new Error(`${options.entryFile ?? 'generated entry'}: ${warning.message}`);
    },
  });
  let code: string;
  try {
    const { output } = await build.generate({
      format: options.format === 'module' ? 'es' : 'iife',
      name,
      exports: options.format === 'value' ? 'default' : options.format === 'module' ? 'none' : 'named',
      generatedCode: 'es5',
      esModule: false,
      freeze: false,
      externalLiveBindings: false,
      indent: options.minify !== true,
      footer: options.format === 'module' ? '' : `if (typeof module === 'object') module.exports = ${name};`,
    });
    code = output[0].code;
  } finally {
    await build.close();
  }
  if (options.minify === true) code = await shorten(code, options.format ?? 'script');
  code = repairScopes(code);
  return (options.banner ? options.banner + '\n' : '') + code.trimEnd() + '\n';
}

function chipModules(
  directory: string,
  entrySource: string | undefined,
  replaced: Record<string, string>,
): Plugin {
  return {
    name: 'chip-modules',
    resolveId(source, importer) {
      if (source === GENERATED_ENTRY) return GENERATED_ENTRY;
      if (path.isAbsolute(source)) return source;
      const from =
        importer === undefined || importer === GENERATED_ENTRY ? directory : path.dirname(importer);
      const asked = path.resolve(from, source.replace(/\.js$/, ''));
      const other = replaced[path.relative(directory, asked).split(path.sep).join('/')];
      const file = `${other ? path.join(directory, other) : asked}.js`;
      if (
        /^\.\.?\//.test(source) &&
        !path.relative(directory, file).startsWith('..') &&
        fs.existsSync(file)
      ) {
        return file;
      }
      const place =
        importer === GENERATED_ENTRY ? 'the generated entry' : path.relative(directory, importer ?? '');
      throw new Error(
        `${place} imports '${source}', which is not a module of the chip side (looked for ${file})`,
      );
    },
    load(id) {
      return id === GENERATED_ENTRY ? entrySource : null;
    },
  };
}

function constantValues(constants: Record<string, boolean>): Plugin {
  const names = Object.keys(constants);
  return {
    name: 'constant-values',
    transform(code) {
      if (!names.some((name) => code.includes(name))) return null;
      const known = new RegExp(`\\b(${names.join('|')})\\b`, 'g');
      return { code: code.replace(known, (name) => String(constants[name])), map: null };
    },
  };
}

/** `builtins` lets names through that some browser has too (`offset`, `index`); none of them is used as such here. */
const INTERNAL = new RegExp(`^(${INTERNAL_NAMES.join('|')})$`);

/** Short names that terser takes for free, and Espruino does not. */
const RESERVED = ['of'];

async function shorten(code: string, format: NonNullable<BundleOptions['format']>): Promise<string> {
  const result = await terser(code, {
    ecma: 5,
    toplevel: format === 'module',
    // a function within another one is made anew in each call: packed programs would pay for that in every element
    compress:
      format === 'script'
        ? { ecma: 5, passes: 2 }
        : { ecma: 5, passes: 2, reduce_funcs: false, inline: 2, loops: false, keep_fargs: false },
    mangle: { reserved: RESERVED, properties: { builtins: true, regex: INTERNAL } },
    format: { ecma: 5, comments: false },
  });
  if (result.code === undefined) throw new Error('terser returned nothing');
  return result.code;
}
