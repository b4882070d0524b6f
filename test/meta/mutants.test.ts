import assert from 'node:assert/strict';
import { applied, codeOnly, mutantsOf } from '../../scripts/mutation/mutants.ts';

const source = `import { a } from './a.ts'; // a < b
/** x === y */
export function check(x: number, text: string): boolean {
  if (x < 3 && text !== 'a === b') throw new RangeError(\`\${x} > 3\`);
  return true;
}
`;

describe('mutants', () => {
  it('leave comments, strings and imports alone and keep every offset', () => {
    const code = codeOnly(source);
    assert.equal(code.length, source.length);
    assert.deepEqual(code.match(/[!<>=]+/g), ['<', '!==']);
  });

  it('are one for each operator, in order', () => {
    const found = mutantsOf('x.ts', source).map(({ line, from, to }) => [line, from.trim(), to.trim()]);
    assert.deepEqual(found, [
      [4, '<', '<='],
      [4, '&&', '||'],
      [4, '!==', '==='],
      [4, 'throw new', 'void new'],
      [5, 'true', 'false'],
    ]);
  });

  it('change one place', () => {
    const [first] = mutantsOf('x.ts', source);
    assert.ok(first !== undefined);
    assert.equal(applied(source, first), source.replace('x < 3', 'x <= 3'));
  });
});
