import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plantedDefects } from '#test/contracts/planted-defects.ts';
import { withDefects } from '../../scripts/mutation/planted.ts';
import { root } from '../../scripts/project-files.ts';

const sourceOf = (contract: string): string => readFileSync(join(root, `contracts/${contract}.sol`), 'utf8');

describe('planted defects', () => {
  it('stand where they say, in the contracts of today', () => {
    for (const contract of new Set(plantedDefects.map((defect) => defect.contract))) {
      const planted = withDefects(contract, sourceOf(contract), plantedDefects);
      for (const [index, defect] of plantedDefects.entries()) {
        assert.equal(planted.includes(`Planted.isOn(${index + 1})`), defect.contract === contract, defect.from);
      }
    }
  });

  it('break every invariant of orders, lanes, stakes and challenges', () => {
    const broken = new Set(plantedDefects.flatMap(({ breaks }) => breaks));
    const properties = readFileSync(join(root, 'test/contracts/PROPERTIES.md'), 'utf8');
    const invariants = [...properties.matchAll(/^\| ([IJ]\d) /gm)].map(([, id]) => id!);
    assert.ok(invariants.length >= 9, invariants.join(' '));
    assert.deepEqual(
      invariants.filter((id) => !broken.has(id)),
      [],
    );
  });

  it('are refused where what they replace is gone, or there twice', () => {
    const defect = { contract: 'A', from: 'x = 1;', to: '', breaks: ['J1'] };
    assert.match(withDefects('A', '\nimport B;\nx = 1;', [defect]), /if \(Planted\.isOn\(1\)\) \{ {2}\} else \{ x = 1; \}/);
    assert.throws(() => withDefects('A', '\nimport B;\nx = 2;', [defect]), RangeError);
    assert.throws(() => withDefects('A', '\nimport B;\nx = 1; x = 1;', [defect]), RangeError);
  });
});
