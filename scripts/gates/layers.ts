/**
 * Who may import whom (docs/design.md, section 11): the one table from which `oxlint.config.ts` makes its import rules.
 * A folder is named by where it lies; `#service/` is the import name of `verifier-service/`.
 */

/** Every source folder and the first path segment by which `#…` imports name it. */
export const folders: Readonly<Record<string, string>> = {
  protocol: 'protocol',
  attestation: 'attestation',
  collateral: 'collateral',
  circuits: 'circuits',
  contracts: 'contracts',
  chain: 'chain',
  prover: 'prover',
  worker: 'worker',
  'verifier-service': 'service',
  client: 'client',
  cli: 'cli',
  test: 'test',
  bench: 'bench',
  examples: 'examples',
  scripts: 'scripts',
};

/** What a folder may import from another: all of it, or the listed files alone (paths inside that folder). */
export type Allowed = 'all' | readonly string[];

/** Folder -> what it may import besides itself and packages. `test`, `bench`, `examples`, `scripts` and `cli` are free. */
export const layers: Readonly<Record<string, Readonly<Record<string, Allowed>>>> = {
  protocol: {},
  attestation: { protocol: 'all' },
  collateral: { protocol: 'all' },
  circuits: { protocol: 'all' },
  contracts: { protocol: 'all' },
  chain: { protocol: 'all' },
  prover: { protocol: 'all', circuits: ['manifest.ts'] },
  worker: { protocol: 'all', chain: 'all', prover: ['interface.ts'] },
  'verifier-service': { protocol: 'all', attestation: 'all', collateral: 'all', chain: 'all', prover: ['interface.ts'] },
  client: { protocol: 'all', attestation: 'all', collateral: 'all', chain: 'all' },
  cli: {
    protocol: 'all',
    attestation: 'all',
    collateral: 'all',
    circuits: 'all',
    contracts: 'all',
    chain: 'all',
    prover: 'all',
    worker: 'all',
    'verifier-service': 'all',
    client: 'all',
  },
};

/** Files that may import more than their folder: the simulated issuer is the one place where the worker meets the simulator. */
export const exceptions: readonly { file: string; folder: string; adds: Readonly<Record<string, Allowed>> }[] = [
  { file: 'worker/issuer/simulated.ts', folder: 'worker', adds: { attestation: ['simulated/'] } },
];

function escapeForRegex(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}

/**
 * The patterns of import specifiers that a folder may not use, both as `#name/…` and as a relative path that leaves it.
 * A relative path is judged by its first named segment, so a subfolder must not carry the name of a top-level folder.
 */
export function forbiddenImports(
  folder: string,
  allowed: Readonly<Record<string, Allowed>>,
): { regex: string; message: string }[] {
  const patterns: { regex: string; message: string }[] = [];
  for (const [target, name] of Object.entries(folders)) {
    if (target === folder) continue;
    const grant = allowed[target];
    if (grant === 'all') continue;
    const names = target === name ? escapeForRegex(target) : `(?:${escapeForRegex(target)}|${escapeForRegex(name)})`;
    const except =
      grant === undefined ? '' : `(?!${grant.map((path) => escapeForRegex(path) + (path.endsWith('/') ? '' : '$')).join('|')})`;
    const message =
      grant === undefined ? `${folder} must not import ${target}` : `${folder} may import only ${grant.join(', ')} of ${target}`;
    patterns.push({ regex: String.raw`^(?:#|(?:\.\.?\/)+)${names}\/${except}`, message });
  }
  return patterns;
}
