/**
 * `npm run check [-- GATE…]`: every static gate over the tree, each with what it counted. A gate that finds something, or
 * that has nothing to look at, fails the check.
 */
import { browser } from './gates/browser.ts';
import { dependencies } from './gates/dependencies.ts';
import { forbiddenWords } from './gates/forbidden-words.ts';
import { format } from './gates/format.ts';
import { findings } from './gates/gate.ts';
import type { Gate } from './gates/gate.ts';
import { generated } from './gates/generated.ts';
import { lintCircom } from './gates/lint-circom.ts';
import { lintSolidity } from './gates/lint-solidity.ts';
import { lint } from './gates/lint.ts';
import { names } from './gates/names.ts';
import { types } from './gates/types.ts';
import { unused } from './gates/unused.ts';

const gates: readonly Gate[] = [
  types,
  lint,
  lintSolidity,
  lintCircom,
  unused,
  names,
  forbiddenWords,
  generated,
  dependencies,
  browser,
  format,
];

/** Findings shown for each gate; the rest is counted. */
const shown = 60;

async function runGate(gate: Gate): Promise<boolean> {
  const started = performance.now();
  const result = await gate.run().catch((error: unknown) => ({
    count: 0,
    unit: 'things',
    problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  }));
  const problems = findings(result);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const verdict = problems.length === 0 ? 'passed' : `FAILED with ${problems.length} findings`;
  console.log(
    `${gate.name.padEnd(13)} ${String(result.count).padStart(5)} ${result.unit.padEnd(16)} ${seconds.padStart(5)} s  ${verdict}`,
  );
  for (const problem of problems.slice(0, shown)) console.log(`    ${problem}`);
  if (problems.length > shown) console.log(`    and ${problems.length - shown} more`);
  return problems.length === 0;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !gates.some((gate) => gate.name === name));
if (unknown.length > 0) {
  console.error(`no such gate: ${unknown.join(', ')}; there are ${gates.map((gate) => gate.name).join(', ')}`);
  process.exit(1);
}
let passed = 0;
let failed = 0;
for (const gate of gates) {
  if (wanted.length > 0 && !wanted.includes(gate.name)) continue;
  if (await runGate(gate)) passed += 1;
  else failed += 1;
}
console.log(`check: ${passed} gates passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
