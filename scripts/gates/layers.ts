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

/** What a folder may import from another: all of it, or one file or one subfolder (`name/`) of it alone. */
type Allowed = 'all' | { readonly only: string };

/** Folder -> what it may import besides itself and packages. `test`, `bench`, `examples`, `scripts` and `cli` are free. */
export const layers: Readonly<Record<string, Readonly<Record<string, Allowed>>>> = {
  protocol: {},
  attestation: { protocol: 'all' },
  collateral: { protocol: 'all' },
  circuits: { protocol: 'all' },
  contracts: { protocol: 'all' },
  chain: { protocol: 'all' },
  prover: { protocol: 'all', circuits: { only: 'manifest.ts' } },
  worker: { protocol: 'all', chain: 'all', prover: { only: 'interface.ts' } },
  'verifier-service': { protocol: 'all', attestation: 'all', collateral: 'all', chain: 'all', prover: { only: 'interface.ts' } },
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

/**
 * Files that may import more than their folder: the simulated issuer is the one place where the worker meets the simulator; files of the
 * prover take the circuits' own mapping of a segment to signals, their runner of circom's witness programs, what there is to know of our
 * own, and the circuits of compiled models; one file of the worker takes the integer program that a compiled model's ONNX file is held to.
 */
export const exceptions: readonly { file: string; folder: string; adds: Readonly<Record<string, Allowed>> }[] = [
  { file: 'worker/issuer/simulated.ts', folder: 'worker', adds: { attestation: { only: 'simulated/' } } },
  { file: 'prover/circuit-input.ts', folder: 'prover', adds: { circuits: { only: 'settlement-input.ts' } } },
  { file: 'prover/native-witness.ts', folder: 'prover', adds: { circuits: { only: 'witness/program-inputs.ts' } } },
  { file: 'prover/segment-prover.ts', folder: 'prover', adds: { circuits: { only: 'witness-calculator.ts' } } },
  { file: 'prover/inference-artefacts.ts', folder: 'prover', adds: { circuits: { only: 'model/folder.ts' } } },
  { file: 'prover/inference-prover.ts', folder: 'prover', adds: { circuits: { only: 'model/inference-circuit.ts' } } },
  { file: 'worker/model/compiled.ts', folder: 'worker', adds: { circuits: { only: 'model/folder.ts' } } },
];

function escapeForRegex(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}

/** A regular expression for every text but `path` (or, when it ends in `/`, everything that starts with it). The linter knows no lookahead. */
function anythingBut(path: string): string {
  const departures = Array.from(path, String).map(
    (character, index) => `${escapeForRegex(path.slice(0, index))}(?:[^${escapeForRegex(character)}].*)?$`,
  );
  return `(?:${[...departures, ...(path.endsWith('/') ? [] : [`${escapeForRegex(path)}.+`])].join('|')})`;
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
    const grant = allowed[target];
    if (target === folder || grant === 'all') continue;
    const names = target === name ? escapeForRegex(target) : `(?:${escapeForRegex(target)}|${escapeForRegex(name)})`;
    const rest = grant === undefined ? '' : anythingBut(grant.only);
    const message =
      grant === undefined ? `${folder} must not import ${target}` : `${folder} may import only ${grant.only} of ${target}`;
    patterns.push({ regex: String.raw`^(?:#|(?:\.\.?\/)+)${names}\/${rest}`, message });
  }
  return patterns;
}
