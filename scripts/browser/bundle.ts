/** Bundles `attestation/` for browsers: one ES module with nothing of Node in it. The same sources and lockfile give the same bytes. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from '../project-files.ts';

/** Where `npm run build:browser` writes, from the root; git ignores it. */
export const browserFolder = '.stun/browser';
/** The largest bundle that passes, gzip level 9: whole, and without the documents in XML, which few evidence needs. */
const maxGzipBytes = { whole: 68_000, withoutXml: 60_000 };
/** What reads documents in XML, from the root. */
const xmlFolders = ['attestation/xml', 'attestation/nvidia/rim'];

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
 * @param leftOut - folders, from the root, whose modules are imported instead of bundled
 * @throws when an import cannot be resolved, as every import of a module of Node's
 */
export async function bundle(entry: string, leftOut: readonly string[] = []): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    external: leftOut.map((folder) => join(root, folder, '*')),
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

/** Attestation as one module, its size without what reads XML, and what is wrong with either; nothing when it may be published. */
export async function bundleAttestation(): Promise<
  Bundle & { readonly gzipBytesWithoutXml: number; readonly problems: string[] }
> {
  const whole = await bundle('attestation/index.ts');
  const { gzipBytes: gzipBytesWithoutXml } = await bundle('attestation/index.ts', xmlFolders);
  const sizes = { whole: whole.gzipBytes, withoutXml: gzipBytesWithoutXml };
  const problems = [
    ...whole.imports.map((path) => `the bundle still imports ${path}`),
    ...(['whole', 'withoutXml'] as const)
      .filter((part) => sizes[part] > maxGzipBytes[part])
      .map((part) => `the bundle (${part}) has ${sizes[part]} bytes after gzip, at most ${maxGzipBytes[part]}`),
  ];
  return { ...whole, gzipBytesWithoutXml, problems };
}
