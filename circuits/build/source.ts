/**
 * The circom source of a circuit with everything it includes: the identity of what is compiled.
 * Includes are relative to the including file, as circomspect demands.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository root: the compiler's working directory, since it sees nothing above. */
export const REPOSITORY_ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** One file of a circuit. */
export interface SourceFile {
  /** Relative to the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const INCLUDE = /^\s*include\s+"([^"]+)"\s*;/gm;

/**
 * All files of a circuit, included ones before the file that includes them, each once.
 * @param mainPath - relative to the repository root
 */
export async function collectSources(mainPath: string): Promise<SourceFile[]> {
  const seen = new Set<string>();
  const files: SourceFile[] = [];
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = await readFile(join(REPOSITORY_ROOT, path), 'utf8');
    for (const match of text.matchAll(INCLUDE)) {
      await visit(relative(REPOSITORY_ROOT, join(REPOSITORY_ROOT, dirname(path), match[1]!)).replaceAll('\\', '/'));
    }
    files.push({ path, text });
  };
  await visit(mainPath);
  return files;
}

/** The files as one text without includes and with a single pragma; what circomlib declares stands before what uses it. */
export function flatten(files: readonly SourceFile[]): string {
  const bodies = files.map(({ text }) => text.replaceAll(INCLUDE, '').replaceAll(/^\s*pragma circom [^;]+;/gm, ''));
  return `pragma circom 2.1.6;\n${bodies.join('\n')}`;
}

/** SHA-256, hex, over a recipe string and all files in order. */
export function sourceHash(files: readonly SourceFile[], recipe: string): string {
  const hash = createHash('sha256').update(`${recipe}\n`);
  for (const { path, text } of files) hash.update(`${path}\n${Buffer.byteLength(text)}\n`).update(text);
  return hash.digest('hex');
}
