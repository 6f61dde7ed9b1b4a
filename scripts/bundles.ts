/** The bundles that ship: which module each is made of, and whether it is minified. */
export interface BundleEntry {
  /** Source module, without extension. */
  entry: string;
  /** Where the bundle goes. */
  out: string;
  minify: boolean;
  /** Globals beyond those of every engine, which it uses where they are there. */
  globals?: string[];
}

export const BUNDLES: BundleEntry[] = [
  { entry: 'lib/index', out: 'dist/engram.js', minify: false },
  { entry: 'lib/index', out: 'dist/engram.all.min.js', minify: true },
  { entry: 'lib/chip', out: 'dist/engram.min.js', minify: true, globals: ['E', 'process', 'require'] },
];

/** Flash budget of dist/engram.min.js, in bytes. */
export const CHIP_BUDGET = 79 * 1024;
