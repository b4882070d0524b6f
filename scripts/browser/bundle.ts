/** Bundles what runs in browsers: ES modules with nothing of Node in them. The same sources and lockfile give the same bytes. */
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
/** Exports that are words for people. They carry every error code and the source of every check, so they are a module of their own. */
const words = ['explainReport', 'checkSourceOf', 'gpuCheckSources', 'snpCheckSources'];
/** Exports about the word of a verifier in place of evidence: signed tokens. Few pages read both, so they are a module of their own too. */
const tokens = [
  'assessEar',
  'assessNras',
  'buildEarClaims',
  'earPolicyId',
  'encodeJwks',
  'jwkThumbprint',
  'parseJwks',
  'signJws',
];

/** Size of a text after gzip, level 9. */
export function gzipBytesOf(text: string): number {
  return gzipSync(text, { level: 9 }).length;
}

/** A bundle in memory. */
interface Bundle {
  readonly code: string;
  readonly gzipBytes: number;
  /** What it would still import when it is loaded. */
  readonly imports: readonly string[];
}

/**
 * Bundles one module and all that it imports. Only the `browser` and `default` conditions of packages hold, so that `#crypto-provider` is @noble.
 * @param contents - source of the module, its paths from the root
 * @param leftOut - folders, from the root, whose modules are imported instead of bundled
 * @throws when an import cannot be resolved, as every import of a module of Node's
 */
export async function bundle(contents: string, leftOut: readonly string[] = []): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root, loader: 'ts' },
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
  if (output === undefined) throw new RangeError('the sources gave no bundle');
  return {
    code: output.text,
    gzipBytes: gzipBytesOf(output.text),
    imports: Object.values(metafile.outputs).flatMap((made) => made.imports.map(({ path }) => path)),
  };
}

/** What says a report in words, as one module. */
export function bundleWords(): Promise<Bundle> {
  return bundle("export * from './attestation/evidence/explain.ts';");
}

/** What reads and makes signed tokens, as one module. */
export function bundleTokens(): Promise<Bundle> {
  return bundle(`export { ${tokens.join(', ')} } from './attestation/index.ts';`);
}

/** What proves in a browser, as one module: the WebAssembly backend, witnesses of compiled models, verification. */
export function bundleProver(): Promise<Bundle> {
  return bundle(`
    export { wasmBackend } from './prover/wasm-backend.ts';
    export { verifyGroth16 } from './prover/verify-groth16.ts';
    export { InferenceCircuit } from './circuits/model/inference-circuit.ts';`);
}

/** What verifies selective disclosures, as one module. */
export function bundleDisclosure(): Promise<Bundle> {
  return bundle(`
    export { verifyDisclosure } from './client/disclosure.ts';
    export { disclosureInWords } from './protocol/disclosure.ts';`);
}

/** All the rest of attestation, as one module. */
export interface AttestationBundle extends Bundle {
  readonly gzipBytesWithoutXml: number;
  /** Nothing when it may be published. */
  readonly problems: readonly string[];
}

/** Bundles attestation, and says what is wrong with the bundle. */
export async function bundleAttestation(): Promise<AttestationBundle> {
  const names = Object.keys(await import('#attestation/index.ts')).filter((name) => ![...words, ...tokens].includes(name));
  const contents = `export { ${names.join(', ')} } from './attestation/index.ts';`;
  const whole = await bundle(contents);
  const { gzipBytes: gzipBytesWithoutXml } = await bundle(contents, xmlFolders);
  const sizes = { whole: whole.gzipBytes, withoutXml: gzipBytesWithoutXml };
  const problems = [
    ...whole.imports.map((path) => `the bundle still imports ${path}`),
    ...(['whole', 'withoutXml'] as const)
      .filter((part) => sizes[part] > maxGzipBytes[part])
      .map((part) => `the bundle (${part}) has ${sizes[part]} bytes after gzip, at most ${maxGzipBytes[part]}`),
  ];
  return { ...whole, gzipBytesWithoutXml, problems };
}
