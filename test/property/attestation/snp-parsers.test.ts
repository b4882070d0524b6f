import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  assessSnp,
  decodeSnpEndorsements,
  encodeSnpEndorsements,
  encodeSnpReport,
  parseSnpEndorsements,
  parseSnpReport,
  readSnpTcb,
  snpProducts,
} from '#attestation/index.ts';
import type { SnpReportFields } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { parseAmdCertificate } from '#attestation/snp/certificate.ts';
import { parseAmdCrl } from '#attestation/snp/crl.ts';
import { encodeSnpTcb } from '#attestation/snp/product.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { depth, sampleSeed } from '../../depth.ts';
import { atUnix } from '../../unit/attestation/simulated-fixture.ts';
import { acceptedEndorsements, acceptedReport, snpMachine, snpPki } from '../../unit/attestation/snp-fixture.ts';

const check = <T>(property: fc.IProperty<T>, numRuns = 300): void => {
  fc.assert(property, { seed: sampleSeed(), numRuns });
};

/** The call returns, or throws a StunError that is not an internal one. */
function total(call: () => unknown): void {
  try {
    call();
  } catch (thrown) {
    assert.ok(thrown instanceof StunError, String(thrown));
    assert.notEqual(thrown.code, 'STUN_INTERNAL');
  }
}

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const byte = fc.nat(255);
const u32 = fc.nat(0xffffffff);
const firmware = fc.record({ major: byte, minor: byte, build: byte }, { noNullPrototype: true });
const common = {
  guestSvn: u32,
  policy: bytes(8),
  familyId: bytes(16),
  imageId: bytes(16),
  vmpl: u32,
  currentTcb: bytes(8),
  reportedTcb: bytes(8),
  committedTcb: bytes(8),
  launchTcb: bytes(8),
  platformInfo: bytes(8),
  authorKeyEnabled: fc.boolean(),
  chipIdMasked: fc.boolean(),
  signer: fc.constantFrom('vcek', 'vlek', 'none'),
  reportData: bytes(64),
  measurement: bytes(48),
  hostData: bytes(32),
  idKeyDigest: bytes(48),
  authorKeyDigest: bytes(48),
  reportId: bytes(32),
  reportIdMa: bytes(32),
  chipId: bytes(64),
  currentFirmware: firmware,
  committedFirmware: firmware,
  signature: bytes(96),
} as const;
const cpuid = fc.record({ family: byte, model: byte, stepping: byte }, { noNullPrototype: true });
const none = fc.constant(null);
const fields: fc.Arbitrary<SnpReportFields> = fc.oneof(
  fc.record({ ...common, version: fc.constant(2), cpuid: none, launchMitigations: none, currentMitigations: none }),
  fc.record({ ...common, version: fc.constantFrom(3, 4), cpuid, launchMitigations: none, currentMitigations: none }),
  fc.record({ ...common, version: fc.constant(5), cpuid, launchMitigations: bytes(8), currentMitigations: bytes(8) }),
);

describe('SEV-SNP parsers, properties', () => {
  it('give back every report that is encoded', () => {
    check(
      fc.property(fields, (value) => {
        const raw = encodeSnpReport(value);
        const { raw: kept, ...parsed } = parseSnpReport(raw);
        assert.deepEqual(kept, raw);
        assert.deepEqual(parsed, { ...value });
      }),
    );
  });

  it('give back every TCB version that is encoded, and refuse reserved bytes', () => {
    check(
      fc.property(fc.constantFrom(...snpProducts), bytes(8), (product, raw) => {
        const tcb = readSnpTcb(raw, product);
        if (tcb === null) return;
        assert.deepEqual(encodeSnpTcb(tcb, product), raw);
      }),
      2000,
    );
    assert.equal(readSnpTcb(Uint8Array.of(1, 2, 0, 0, 0, 0, 3, 4), 'Turin'), null);
    assert.equal(readSnpTcb(Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 5), 'Genoa'), null);
    assert.deepEqual(readSnpTcb(Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 5), 'Turin'), {
      fmc: 1,
      bootloader: 2,
      tee: 3,
      snp: 4,
      microcode: 5,
    });
  });

  it('give back endorsements that are encoded', () => {
    const json = encodeSnpEndorsements(acceptedEndorsements);
    assert.deepEqual(decodeSnpEndorsements(JSON.stringify(json)), acceptedEndorsements);
    assert.equal(parseSnpEndorsements(decodeSnpEndorsements(json)).vek.subject.commonName, 'SEV-VCEK');
  });

  it('answer any bytes with a value or a code', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 1400 }), (input) => {
        total(() => parseSnpReport(input));
        total(() => parseAmdCertificate(input));
        total(() => parseAmdCrl(input));
        total(() => decodeSnpEndorsements(input));
      }),
    );
  });

  it('answer any structural mutation with a code, and verify none of them', () => {
    const { root } = snpMachine();
    const parts = { report: acceptedReport, ...acceptedEndorsements, crl: acceptedEndorsements.crl ?? new Uint8Array(0) };
    const mutation = fc.record({
      part: fc.constantFrom('report', 'vek', 'ask', 'ark', 'crl'),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      drop: fc.nat(40),
      insert: fc.uint8Array({ maxLength: 40 }),
    });
    let refused = 0;
    check(
      fc.property(mutation, ({ part, at, drop, insert }) => {
        const original = parts[part];
        const from = Math.floor(at * original.length);
        const changed = Uint8Array.of(...original.subarray(0, from), ...insert, ...original.subarray(from + drop));
        if (changed.length === original.length && changed.every((value, i) => value === original[i])) return;
        const { report, ...endorsements } = { ...parts, [part]: changed };
        const { verified, failure } = assessSnp({ report, endorsements, atUnix, roots: [root], policy: simulatedPolicy });
        assert.equal(verified, null, `${part} at ${from}`);
        assert.ok(failure !== null && failure.code !== 'STUN_INTERNAL', `${part} at ${from}: ${String(failure?.cause)}`);
        refused++;
      }),
      depth() === 'full' ? 33_000 : 1000,
    );
    assert.ok(refused > 500, `${refused} mutations`);
    assert.equal(snpPki.root('Genoa').publicKeySha256, root.publicKeySha256);
    console.log(`      ${refused} mutations refused`);
  });
});
