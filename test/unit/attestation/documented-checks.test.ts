import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  evidenceChecks,
  gpuCheckSources,
  gpuPolicyChecks,
  gpuVerificationChecks,
  sgxPolicyChecks,
  sgxVerificationChecks,
  snpPolicyChecks,
  snpVerificationChecks,
  tdxPolicyChecks,
  tdxVerificationChecks,
} from '#attestation/index.ts';
import { earChecks, nrasChecks, rimChecks } from '#attestation/checks.ts';
import { earCheckSources } from '#attestation/ear/check-sources.ts';
import { evidenceCheckSources, sgxCheckSources, tdxCheckSources } from '#attestation/intel/check-sources.ts';
import { nrasCheckSources } from '#attestation/nvidia/eat/check-sources.ts';
import { rimCheckSources } from '#attestation/nvidia/rim/check-sources.ts';
import { snpCheckSources } from '#attestation/snp/check-sources.ts';
import { isErrorCode } from '#protocol/errors/registry.ts';
import { gpuNegativeVectors } from '../../negative/attestation/gpu-negative-vectors.ts';
import { earNegativeVectors } from '../../negative/attestation/ear-negative-vectors.ts';
import { negativeVectors } from '../../negative/attestation/negative-vectors.ts';
import { nrasNegativeVectors } from '../../negative/attestation/nras-negative-vectors.ts';
import { rimNegativeVectors } from '../../negative/attestation/rim-negative-vectors.ts';
import { sgxVectors } from '../../negative/attestation/sgx-vectors.ts';
import { snpNegativeVectors } from '../../negative/attestation/snp-negative-vectors.ts';

const page = readFileSync(new URL('../../../docs/attestation.md', import.meta.url), 'utf8');

/** The rows of the table under a heading of level two. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

const tables = [
  ['Checks', negativeVectors, 100],
  ['Checks of SGX quotes', sgxVectors, 40],
  ['Checks of SEV-SNP reports', snpNegativeVectors, 90],
  ['Checks of GPU reports', gpuNegativeVectors, 85],
  ['Checks of RIM documents', rimNegativeVectors, 90],
  ['Checks of attestation results', earNegativeVectors, 25],
  ["Checks of NVIDIA's service", nrasNegativeVectors, 25],
] as const;

/** Nothing can refute it, so that it stands in no row. */
const unrefuted: readonly string[] = ['tcb-evaluation'];

const sourceTables = [
  ['Checks', { ...tdxCheckSources, ...evidenceCheckSources }],
  ['Checks of SGX quotes', sgxCheckSources],
  ['Checks of SEV-SNP reports', snpCheckSources],
  ['Checks of RIM documents', rimCheckSources],
  ['Checks of GPU reports', gpuCheckSources],
  ['Checks of attestation results', earCheckSources],
  ["Checks of NVIDIA's service", nrasCheckSources],
] as const;

describe('docs/attestation.md', () => {
  for (const [heading, vectors, least] of tables) {
    it(`lists under "${heading}" exactly the negative vectors, in their order`, () => {
      const rows = rowsOf(heading);
      assert.deepEqual(
        rows.map(([check, code, , name]) => `${check} ${code} ${name}`),
        vectors.map((vector) => `${vector.check} ${vector.code} ${vector.name}`),
      );
      assert.ok(rows.length >= least, `${rows.length} rows`);
      console.log(`      ${rows.length} rows`);
    });

    it(`names under "${heading}" a source for every row and only codes of the registry`, () => {
      for (const [check = '', code = '', source = ''] of rowsOf(heading)) {
        assert.ok(source.length >= 10, `${check} has no source`);
        assert.ok(isErrorCode(code), code);
      }
    });
  }

  for (const [heading, known] of sourceTables) {
    it(`names under "${heading}" the sources that programs get`, () => {
      const sources = new Map<string, string>(Object.entries(known));
      const rows = rowsOf(heading);
      for (const [check = '', , source] of rows) assert.equal(source, sources.get(check), check);
      assert.deepEqual(
        new Set(rows.map(([check]) => check)),
        new Set([...sources.keys()].filter((id) => !unrefuted.includes(id))),
      );
    });
  }

  it('names every check', () => {
    for (const id of [
      ...tdxVerificationChecks,
      ...tdxPolicyChecks,
      ...sgxVerificationChecks,
      ...sgxPolicyChecks,
      ...snpVerificationChecks,
      ...snpPolicyChecks,
      ...rimChecks,
      ...gpuVerificationChecks,
      ...gpuPolicyChecks,
      ...earChecks,
      ...nrasChecks,
      ...evidenceChecks,
    ])
      assert.ok(page.includes(`\`${id}\``), id);
  });
});
