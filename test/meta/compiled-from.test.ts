/** Committed bytecode is refused when anything that decides it has changed since. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { assertFresh, digestsFile, digestsOf } from '#chain/compiled-from.ts';

const compiler = { version: '0.8.37', settings: { viaIR: true } };
const files: Readonly<Record<string, string>> = {
  'contracts/A.sol': 'contract A {}',
  'contracts/types/T.sol': 'struct T { uint256 x; }',
  'chain/generated/A.json': '{"bytecode":"0x00"}',
  'node_modules/@openzeppelin/contracts/package.json': '{"version":"5.4.0"}',
};

describe('committed bytecode', () => {
  let folder = '';
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stun-compiled-'));
    for (const [name, text] of Object.entries(files)) write(name, text);
    write(digestsFile, JSON.stringify(digestsOf(folder, compiler)));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is taken while nothing has changed', () => {
    assertFresh(folder, compiler);
  });

  for (const [change, changed, apply] of [
    ['a contract', 'contracts/A.sol', () => write('contracts/A.sol', 'contract A { uint256 x; }')],
    ['what a contract imports', 'contracts/types/T.sol', () => write('contracts/types/T.sol', 'struct T { uint128 x; }')],
    ['a contract more', 'contracts/B.sol', () => write('contracts/B.sol', 'contract B {}')],
    ['a contract less', 'contracts/A.sol', () => rmSync(join(folder, 'contracts/A.sol'))],
    ['the bytecode itself', 'chain/generated/A.json', () => write('chain/generated/A.json', '{"bytecode":"0x01"}')],
    [
      'a library',
      '@openzeppelin/contracts',
      () => write('node_modules/@openzeppelin/contracts/package.json', '{"version":"5.4.1"}'),
    ],
  ] as const) {
    it(`is refused after a change of ${change}`, () => {
      apply();
      assert.throws(() => assertFresh(folder, compiler), { message: refusal(changed) });
    });
  }

  it('is refused under another setting of the compiler', () => {
    assert.throws(() => assertFresh(folder, { ...compiler, settings: { viaIR: false } }), { message: refusal('compiler') });
    assert.throws(() => assertFresh(folder, { ...compiler, version: '0.8.36' }), { message: refusal('compiler') });
  });
});

function refusal(changed: string): string {
  return `chain/generated is not what these were compiled to: ${changed}; run node chain/generate.ts`;
}
