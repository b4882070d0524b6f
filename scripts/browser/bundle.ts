/** Bundles `attestation/` for browsers: one ES module with nothing of Node in it. The same sources and lockfile give the same bytes. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from '../project-files.ts';

/** Where `npm run build:browser` writes, from the root; git ignores it. */
export const browserFolder = '.stun/browser';
/** The largest bundle that passes, gzip level 9. */
export const maxGzipBytes = 60_000;

/** Size of a text after gzip, level 9. */
export function gzipBytesOf(text: string): number {
  return gzipSync(text, { level: 9 }).length;
}

/** A bundle in memory. */
export interface Bundle {
  readonly code: string;
  readonly gzipBytes: number;
  /** What it would still import when it is loaded. */
  readonly imports: readonly string[];
}

/**
 * Bundles one module and all that it imports. Only the `browser` and `default` conditions of packages hold, so that `#crypto-provider` is @noble.
 * @param entry - path of the module from the root
 * @throws when an import cannot be resolved, as every import of a module of Node's
 */
export async function bundle(entry: string): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    // The licences of what is bundled in travel with it.
    legalComments: 'eof',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const [output] = outputFiles;
  if (output === undefined) throw new RangeError(`${entry} gave no bundle`);
  return {
    code: output.text,
    gzipBytes: gzipBytesOf(output.text),
    imports: Object.values(metafile.outputs).flatMap((made) => made.imports.map(({ path }) => path)),
  };
}

/** What is wrong with a bundle; nothing when it may be published. */
export function bundleProblems({ imports, gzipBytes }: Bundle): string[] {
  return [
    ...imports.map((path) => `the bundle still imports ${path}`),
    ...(gzipBytes > maxGzipBytes ? [`the bundle has ${gzipBytes} bytes after gzip, at most ${maxGzipBytes}`] : []),
  ];
}
