import assert from 'node:assert/strict';
import { WaitingLine } from '#prover/waiting-line.ts';

describe('prover: waiting line', () => {
  it('gives the highest priority first and equal ones in order of arrival', () => {
    const line = new WaitingLine<{ name: string; priority: number }>(8);
    for (const [name, priority] of [
      ['a', 0],
      ['b', 5],
      ['c', 0],
      ['d', 5],
      ['e', -1],
    ] as const) {
      assert.equal(line.add({ name, priority }), true);
    }
    assert.equal(Array.from({ length: 5 }, () => line.take()?.name).join(''), 'bdace');
    assert.equal(line.take(), undefined);
  });

  it('takes no item over its limit, and one more after one has left', () => {
    const line = new WaitingLine(2);
    const [first, second, third] = [{ priority: 0 }, { priority: 0 }, { priority: 9 }];
    assert.deepEqual([line.add(first), line.add(second), line.add(third)], [true, true, false]);
    assert.equal(line.remove(first), true);
    assert.equal(line.remove(first), false);
    assert.equal(line.add(third), true);
    assert.deepEqual(line.drain(), [third, second]);
    assert.equal(line.length, 0);
  });
});
