/**
 * `npm run mutate [-- FOLDER|FILE…]`: changes protocol/ and attestation/ in small ways and sees whether their tests notice; plants defects in the
 * contracts (`contracts`) and sees whether an invariant or a fuzzed property does. A sample by
 * default (the seed is printed), everything with STUN_DEPTH=full; that also records the share of each whole folder in
 * test/mutation-score.json and raises its floor. Fails when a folder's share falls below its floor in test/mutation-floor.json (a sample:
 * so far below that chance does not explain it). Each noticed mutant counts as passed; the others are listed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { depth, sampleCases } from '#test/depth.ts';
import { knownEquivalents, splitEquivalents } from './mutation/equivalent.ts';
import { leastNoticed } from './mutation/least.ts';
import { mutantsOf } from './mutation/mutants.ts';
import { tryMutants } from './mutation/try-mutants.ts';
import { tryPlanted } from './mutation/try-planted.ts';
import { projectFiles, root } from './project-files.ts';
import { summaryLine } from './tests/counts.ts';

/** Mutants tried in each folder when sampled. */
const sampleSize = 60;
/** Defects planted in the contracts when sampled; each takes as long as dozens of mutants. */
const plantedSize = 12;
const CONTRACTS = 'contracts';
/** A floor leaves room for the mutant of a new line that nobody could tell apart. */
const highestFloor = 0.98;
/** Sweeps say again, thousands of times, what single tests say; a mutant that only they notice deserves a test of its own. */
const sweeping = /sweeps|removed-checks/;
const floorFile = join(root, 'test/mutation-floor.json');
const scoreFile = join(root, 'test/mutation-score.json');

const floors = JSON.parse(readFileSync(floorFile, 'utf8')) as Record<string, number>;
function isIn(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

const wanted = process.argv.slice(2);
const folders = wanted.length > 0 ? wanted : [...Object.keys(floors), CONTRACTS];
const known = knownEquivalents();
const scores: Record<string, object> = {};
const raised: Record<string, number> = {};
let passed = 0;
let failed = 0;

if (folders.includes(CONTRACTS)) {
  const fates = await tryPlanted(plantedSize, ({ defect: { contract, from, to }, noticed, said }) => {
    console.log(`  ${noticed ? 'noticed ' : 'survived'} ${contract}: ${from} -> ${to === '' ? 'nothing' : to}: ${said}`);
  });
  const noticed = fates.filter((fate) => fate.noticed).length;
  console.log(`${CONTRACTS}: ${noticed} of ${fates.length} planted defects noticed`);
  passed += noticed;
  failed += fates.length - noticed;
}

for (const folder of folders.filter((name) => name !== CONTRACTS)) {
  const files = projectFiles();
  // What has a floor of its own is left out of the folder around it.
  const apart = Object.keys(floors).filter((other) => other !== folder && isIn(folder, other));
  const sources = files.filter(
    (path) =>
      isIn(folder, path) &&
      !apart.some((other) => isIn(other, path)) &&
      path.endsWith('.ts') &&
      !/\/errors\/|\/index\.ts$/.test(path),
  );
  const tests = files.filter(
    (path) =>
      /^test\/(?:unit|property|negative)\//.test(path) &&
      path.split('/')[2] === folder.split('/')[0] &&
      path.endsWith('.test.ts') &&
      !sweeping.test(path),
  );
  const split = sources.map((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return splitEquivalents(
      mutantsOf(file, source),
      source,
      known.filter((entry) => entry.file === file),
    );
  });
  const all = split.flatMap((of) => of.wanted);
  const equivalent = split.flatMap((of) => of.equivalent);
  if (all.length === 0 || tests.length === 0)
    throw new RangeError(`${folder}: ${all.length} mutants and ${tests.length} test files`);
  const chosen = sampleCases(all, sampleSize);
  console.log(`${folder}: ${chosen.length} of ${all.length} mutants against ${tests.length} test files`);
  const missed: string[] = [];
  const started = performance.now();
  await tryMutants(chosen, tests, (mutant, fate) => {
    const place = `${mutant.file}:${mutant.line}:${mutant.from}->${mutant.to}`;
    if (fate === 'survived' || fate === 'unreached') missed.push(place);
    console.log(`  ${fate.padEnd(9)} ${place}`);
  });
  const noticed = chosen.length - missed.length;
  const score = noticed / chosen.length;
  const floor = floors[folder] ?? 0;
  const least = depth() === 'full' ? Math.ceil(floor * chosen.length - 1e-9) : leastNoticed(floor, chosen.length);
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${folder}: ${noticed} of ${chosen.length} noticed, ${(100 * score).toFixed(1)} %, floor ${(100 * floor).toFixed(0)} % (here at least ${least}), ` +
      `${equivalent.length} equivalent ones left out, ${seconds.toFixed(0)} s`,
  );
  scores[folder] = {
    mutants: chosen.length,
    noticed,
    score: Number(score.toFixed(3)),
    equivalent: equivalent.length,
    missed: missed.toSorted(),
  };
  raised[folder] = Math.max(floors[folder] ?? 0, Math.min(highestFloor, Math.floor(100 * score) / 100));
  passed += noticed;
  if (noticed < least) failed += 1;
}
if (depth() === 'full' && failed === 0) {
  const before = JSON.parse(readFileSync(scoreFile, 'utf8')) as Record<string, object>;
  const ofFloors = <T>(entries: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(entries).filter(([folder]) => folder in floors));
  writeFileSync(scoreFile, `${JSON.stringify({ ...before, ...ofFloors(scores) }, null, 2)}\n`);
  writeFileSync(floorFile, `${JSON.stringify({ ...floors, ...ofFloors(raised) })}\n`);
}
console.log(summaryLine({ passed, failed, skipped: 0 }));
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
