/**
 * Loads the project's own modules anew under a number, one of them changed, while packages stay loaded and warm. Nothing is written to
 * disk: importing this file installs the hooks of its process.
 */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { root } from '../project-files.ts';
import { applied } from './mutants.ts';
import type { Mutant } from './mutants.ts';

const ours = pathToFileURL(`${root}/`).href;
const packages = `${ours}node_modules/`;
const numbered = /\?load=(\d+)$/;

let load = 0;
let change: { readonly path: string; readonly mutant: Mutant } | null = null;
const stripped = new Map<string, string>();

/** From now on the modules are loaded anew, with the mutant in them. @returns what {@link importFresh} and {@link pathOf} go by */
export function startLoad(mutant: Mutant | null): number {
  change = mutant === null ? null : { path: join(root, mutant.file), mutant };
  return ++load;
}

/** Imports one of the project's modules, and with it all that it imports, as of the current load. */
export async function importFresh(path: string): Promise<void> {
  await import(`${pathToFileURL(join(root, path)).href}?load=${load}`);
}

/** The path from the root of a module that was loaded by the numbered load, or null for any other. */
export function pathOf(url: string, wanted: number): string | null {
  const found = numbered.exec(url);
  return found === null || Number(found[1]) !== wanted ? null : url.slice(ours.length, found.index);
}

/** Types are overwritten with blanks, so that offsets stay. */
function javascript(path: string): string {
  if (change?.path === path) return stripTypeScriptTypes(applied(readFileSync(path, 'utf8'), change.mutant));
  const known = stripped.get(path) ?? stripTypeScriptTypes(readFileSync(path, 'utf8'));
  stripped.set(path, known);
  return known;
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const number = numbered.exec(context.parentURL ?? '')?.[0];
    const { url } = resolved;
    if (number === undefined || !url.startsWith(ours) || url.startsWith(packages) || !url.endsWith('.ts')) return resolved;
    return { ...resolved, url: url + number };
  },
  load(url, context, nextLoad) {
    if (!numbered.test(url)) return nextLoad(url, context);
    return { format: 'module', source: javascript(fileURLToPath(url)), shortCircuit: true };
  },
});
