/**
 * `npm run mutate [-- FOLDER…]`: changes protocol/ and attestation/ in small ways and sees whether their tests notice. A sample by
 * default (the seed is printed), everything with STUN_DEPTH=full, which also records the share in test/mutation-score.json. Fails when a
 * folder's share falls below its floor in test/mutation-floor.json
 * (a sample: clearly below). Each noticed mutant counts as passed; the survivors are listed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { depth, sampleCases } from '#test/depth.ts';
import { mutantsOf } from './mutation/mutants.ts';
import { tryMutants } from './mutation/try-mutants.ts';
import { projectFiles, root } from './project-files.ts';
import { summaryLine } from './tests/counts.ts';

/** Mutants tried in each folder when sampled. */
const sampleSize = 24;
/** A run of a folder's tests that takes longer than this is taken for an endless loop. */
const limitMs = 120_000;

const floors = JSON.parse(readFileSync(join(root, 'test/mutation-floor.json'), 'utf8')) as Record<string, number>;
/** The floor at full depth; a sample may lie three standard deviations below it, so that chance alone does not fail a run. */
function lowest(floor: number, count: number): number {
  return depth() === 'full' ? floor : Math.max(0, floor - 3 * Math.sqrt((floor * (1 - floor)) / count));
}

const wanted = process.argv.slice(2);
const folders = wanted.length > 0 ? wanted : Object.keys(floors);
const scores: Record<string, { mutants: number; noticed: number; score: number; survivors: string[] }> = {};
let failed = 0;

for (const folder of folders) {
  const files = projectFiles();
  const sources = files.filter(
    (path) => path.startsWith(`${folder}/`) && path.endsWith('.ts') && !/\/errors\/|\/index\.ts$/.test(path),
  );
  const tests = files.filter(
    (path) => /^test\/(?:unit|property|negative)\//.test(path) && path.split('/')[2] === folder && path.endsWith('.test.ts'),
  );
  const all = sources.flatMap((file) => mutantsOf(file, readFileSync(join(root, file), 'utf8')));
  if (all.length === 0 || tests.length === 0)
    throw new RangeError(`${folder}: ${all.length} mutants and ${tests.length} test files`);
  const chosen = sampleCases(all, sampleSize);
  console.log(`${folder}: ${chosen.length} of ${all.length} mutants against ${tests.length} test files`);
  const survivors: string[] = [];
  await tryMutants(chosen, tests, limitMs, (mutant, fate) => {
    const place = `${mutant.file}:${mutant.line}:${mutant.from}->${mutant.to}`;
    if (fate === 'survived') survivors.push(place);
    console.log(`  ${fate.padEnd(8)} ${place}`);
  });
  const noticed = chosen.length - survivors.length;
  const score = noticed / chosen.length;
  scores[folder] = { mutants: chosen.length, noticed, score: Number(score.toFixed(3)), survivors: survivors.toSorted() };
  const floor = lowest(floors[folder] ?? 0, chosen.length);
  console.log(
    `${folder}: ${noticed} of ${chosen.length} noticed, ${(100 * score).toFixed(0)} %, floor ${(100 * floor).toFixed(0)} %`,
  );
  if (score < floor) failed += 1;
}
if (depth() === 'full') writeFileSync(join(root, 'test/mutation-score.json'), `${JSON.stringify(scores, null, 2)}\n`);
const passed = Object.values(scores).reduce((sum, one) => sum + one.noticed, 0);
console.log(summaryLine({ passed, failed, skipped: 0 }));
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
