/**
 * Builds circuits and the Solidity verifiers that belong to them.
 *
 *   node scripts/with-node.mjs circuits/build/main.ts [settlement-16|settlement-64|settlement-256|settlement-proven-16|all] [--write|--check]
 *
 * Without an option the artefacts must equal circuits/keys/manifest.json. `--write` makes manifest and verifiers anew;
 * `--check` fails when a committed verifier is not what the circuit gives.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodeOf, asStunError } from '#protocol/errors/registry.ts';
import { publicSignalNames } from '#protocol/terms.ts';
import {
  buildOrLoad,
  CIRCUIT_NAMES,
  circuitSpec,
  COMMITTED_MANIFEST,
  committedManifests,
  ensureCircuit,
  type CircuitManifest,
  type CircuitName,
  type VerificationKey,
} from '../manifest.ts';
import { assertCurrent, solidityVerifier } from './solidity-verifier.ts';
import { REPOSITORY_ROOT } from './source.ts';

type Mode = 'build' | 'write' | 'check';

function verifierPath(name: CircuitName): string {
  return join(REPOSITORY_ROOT, 'contracts', 'verifiers', `${circuitSpec(name).verifier}.sol`);
}

async function verifierSource(name: CircuitName, manifest: CircuitManifest, key: VerificationKey): Promise<string> {
  const spec = circuitSpec(name);
  const source = solidityVerifier(key, {
    contract: spec.verifier,
    circuit: spec.main,
    sourceHash: manifest.sourceHash,
    settlement: { n: spec.n, publishedPairs: spec.publishedPairs },
    signals: publicSignalNames(spec.publishedPairs),
    setup: manifest.setup,
  });
  // Loaded here only: formatting belongs to development, building artefacts does not need it.
  const { format, resolveConfig } = await import('prettier');
  const path = verifierPath(name);
  return format(source, { ...(await resolveConfig(path)), filepath: path });
}

async function writeCommitted(name: CircuitName, manifest: CircuitManifest, verifier: string): Promise<void> {
  const all = { ...(await committedManifests()), [name]: manifest };
  const sorted = Object.fromEntries(CIRCUIT_NAMES.flatMap((known) => (all[known] === undefined ? [] : [[known, all[known]]])));
  await mkdir(dirname(COMMITTED_MANIFEST), { recursive: true });
  await writeFile(COMMITTED_MANIFEST, `${JSON.stringify(sorted, null, 2)}\n`);
  await writeFile(verifierPath(name), verifier);
}

async function run(name: CircuitName, mode: Mode): Promise<void> {
  const start = performance.now();
  const say = (step: string): void => console.error(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s  ${step}`);
  const { artefacts, manifest } = await buildOrLoad(name, { progress: say });
  if (mode === 'write') {
    await writeCommitted(name, manifest, await verifierSource(name, manifest, artefacts.verificationKey));
    say(`wrote ${verifierPath(name)} and ${COMMITTED_MANIFEST}`);
  } else {
    await ensureCircuit(name);
  }
  if (mode === 'check') {
    const committed = await readFile(verifierPath(name), 'utf8').catch(() => '');
    assertCurrent(verifierPath(name), committed, await verifierSource(name, manifest, artefacts.verificationKey));
    say('verifier is current');
  }
  say(`${manifest.constraints} constraints, ${manifest.wires} wires, ${manifest.setup} key, vkHash ${manifest.vkHash}`);
}

// Strict: a misspelt option must not start minutes of building.
const { values, positionals: named } = parseArgs({
  options: { write: { type: 'boolean', default: false }, check: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const mode: Mode = values.write ? 'write' : values.check ? 'check' : 'build';

try {
  const names =
    named.length === 0 || named.includes('all') ? CIRCUIT_NAMES : named.map((name) => circuitSpec(name).name as CircuitName);
  for (const name of names) await run(name, mode);
  console.error(`circuits: ${names.length} ${mode === 'build' ? 'ready' : mode === 'check' ? 'checked' : 'written'}`);
} catch (thrown) {
  const error = asStunError(thrown);
  console.error(`${error.code}: ${error.message}`);
  if (error.cause !== undefined) console.error(error.cause);
  process.exitCode = exitCodeOf(error.code);
}
