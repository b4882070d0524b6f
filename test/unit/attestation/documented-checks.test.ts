import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { evidenceChecks, tdxPolicyChecks, tdxVerificationChecks } from '#attestation/index.ts';
import { isErrorCode } from '#protocol/errors/registry.ts';
import { negativeVectors } from '../../negative/attestation/negative-vectors.ts';

const page = readFileSync(new URL('../../../docs/attestation.md', import.meta.url), 'utf8');
const [, section = ''] = page.split('\n## Checks\n');
const rows =
  section
    .split('\n## ')[0]
    ?.split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    ) ?? [];

describe('docs/attestation.md', () => {
  it('lists exactly the negative vectors, in their order', () => {
    assert.deepEqual(
      rows.map(([check, code, , name]) => `${check} ${code} ${name}`),
      negativeVectors.map((vector) => `${vector.check} ${vector.code} ${vector.name}`),
    );
    assert.ok(rows.length >= 100, `${rows.length} rows`);
    console.log(`      ${rows.length} rows`);
  });

  it('names a source for every row and only codes of the registry', () => {
    for (const [check = '', code = '', source = ''] of rows) {
      assert.ok(source.length >= 10, `${check} has no source`);
      assert.ok(isErrorCode(code), code);
    }
  });

  it('names every check', () => {
    for (const id of [...tdxVerificationChecks, ...tdxPolicyChecks, ...evidenceChecks]) assert.ok(page.includes(`\`${id}\``), id);
  });
});
