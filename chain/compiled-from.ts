/** What the committed bytecode was compiled from, as digests: who deploys it without a compiler can tell that it is stale. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Where `chain/generate.ts` writes the digests after it has compiled; a path from the root. */
export const digestsFile = 'chain/generated/sources.json';

/** Solidity that contracts import from npm, by package. */
const libraries = ['@openzeppelin/contracts'];

/** What the compiler was told; digested as it is given, so give the same in the same order. */
export interface CompilerInput {
  /** Of solc, such as `0.8.37`. */
  readonly version: string;
  readonly settings: unknown;
}

/** Sha256 in lower-case hex of each file by its path from the root, of the compiler's input, and the version of each library. */
export type Digests = Readonly<Record<string, string>>;

function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function filesIn(root: string, folder: string, ending: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name.replaceAll(path.sep, '/')}`);
}

/**
 * The digests of everything that decides the committed bytecode, and of that bytecode.
 * @param root The project's folder, absolute, with `contracts/`, `chain/generated/` and `node_modules/`.
 */
export function digestsOf(root: string, { version, settings }: CompilerInput): Digests {
  const files = [...filesIn(root, 'contracts', '.sol'), ...filesIn(root, 'chain/generated', '.json')];
  const digests = Object.fromEntries(
    files
      .filter((file) => file !== digestsFile)
      .toSorted()
      .map((file) => [file, sha256(readFileSync(path.join(root, file)))]),
  );
  for (const name of libraries) {
    const manifest = readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8');
    digests[name] = (JSON.parse(manifest) as { version: string }).version;
  }
  return { ...digests, compiler: sha256(JSON.stringify([version, settings])) };
}

/**
 * Refuses bytecode that was compiled from other sources, or with other settings, than those that are there. Compares digests only: that these
 * sources give this bytecode is what `npm run check -- generated` holds.
 * @throws `Error` that names what has changed and says how to compile again
 */
export function assertFresh(root: string, compiler: CompilerInput): void {
  const committed = JSON.parse(readFileSync(path.join(root, digestsFile), 'utf8')) as Digests;
  const present = digestsOf(root, compiler);
  const names = [...new Set([...Object.keys(committed), ...Object.keys(present)])];
  const changed = names.filter((name) => committed[name] !== present[name]);
  if (changed.length > 0)
    throw new Error(`chain/generated is not what these were compiled to: ${changed.join(', ')}; run node chain/generate.ts`);
}
