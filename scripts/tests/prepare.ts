/** Makes what many tests need once: the development keys of the settlement circuits, so that no single test pays for them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../project-files.ts';

if (existsSync(join(root, 'circuits/manifest.ts'))) {
  const { CIRCUIT_NAMES, ensureCircuit } = await import('#circuits/manifest.ts');
  await ensureCircuit(CIRCUIT_NAMES[0]);
  if (process.env['STUN_CIRCUITS'] === 'all') for (const name of CIRCUIT_NAMES) await ensureCircuit(name);
}
