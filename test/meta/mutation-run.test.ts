import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { splitEquivalents } from '../../scripts/mutation/equivalent.ts';
import { mutantsOf } from '../../scripts/mutation/mutants.ts';
import { tryMutants } from '../../scripts/mutation/try-mutants.ts';
import { root } from '../../scripts/project-files.ts';

const source = `let calls = 0;
export function once(): boolean {
  return calls++ === 0;
}
export function atLeast(x: number, least: number): boolean {
  return x >= least;
}
export function count(to: number): number {
  let i = 0;
  while (i !== to) i = i + 1;
  return i;
}
export function unused(x: number): boolean {
  return x < 3;
}
`;
const passing = `import assert from 'node:assert/strict';
import { atLeast, count, once } from './planted.ts';
describe('planted', () => {
  it('is fresh', () => assert.equal(once(), true));
  it('compares', () => assert.deepEqual([atLeast(1, 2), atLeast(3, 2)], [false, true]));
  it('counts', () => assert.equal(count(3), 3));
});
`;

describe('a run over mutants', function () {
  this.timeout(60_000);
  let folder = '';
  before(() => {
    mkdirSync(join(root, '.stun'), { recursive: true });
    folder = mkdtempSync(join(root, '.stun/mutation-'));
    writeFileSync(join(folder, 'planted.ts'), source);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(test: string): Promise<string[]> {
    const file = join(folder, 'planted.test.ts');
    writeFileSync(file, test);
    const fates: string[] = [];
    const path = (name: string): string => relative(root, join(folder, name));
    const mutants = mutantsOf(path('planted.ts'), source);
    await tryMutants(
      mutants,
      [path('planted.test.ts')],
      ({ line, to }, fate) => fates.push(`${line} ${to.trim()} ${fate}`),
      4000,
    );
    return fates.toSorted();
  }

  it('tells what is noticed, what is not, what never ends and what no test reaches', async () => {
    assert.deepEqual(await run(passing), ['10 - stopped', '10 === killed', '14 <= unreached', '3 !== killed', '6 > survived']);
  });

  it('says nothing when a test fails without a mutant', async () => {
    await assert.rejects(run(passing.replace('count(3), 3', 'count(3), 4')), /fails without a mutant: .*planted counts/);
    await assert.rejects(run("throw new Error('no');\n"), /fails without a mutant: .*on load: Error: no/);
  });

  it('leaves out what is reviewed as equivalent, and finds a review that has lost its line', () => {
    const mutants = mutantsOf('planted.ts', source);
    const entry = { file: 'planted.ts', code: 'return x < 3;', from: '<', to: '<=', nth: 1, reason: 'nobody calls it' };
    const { wanted, equivalent } = splitEquivalents(mutants, source, [entry]);
    assert.deepEqual([wanted.length, equivalent.map(({ line }) => line)], [mutants.length - 1, [14]]);
    assert.throws(() => splitEquivalents(mutants, source, [{ ...entry, code: 'return x < 4;' }]), RangeError);
    assert.throws(() => splitEquivalents(mutants, source, [{ ...entry, nth: 2 }]), RangeError);
  });
});
