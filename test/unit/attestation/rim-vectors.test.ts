import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultTrustRoots, parseGpuReport } from '#attestation/index.ts';
import { parseRim } from '#attestation/nvidia/rim/reference-manifest.ts';
import { rimSubjectOf } from '#attestation/nvidia/rim/subject.ts';
import { assessRims } from '#attestation/nvidia/rim/verify.ts';
import type { RimAssessment, RimSubject } from '#attestation/nvidia/rim/verify.ts';
import { canonicalizeXml } from '#attestation/xml/canonical-xml.ts';
import { parseCappedXml } from '#attestation/xml/capped-xml.ts';
import { readEnvelopedSignature } from '#attestation/xml/enveloped-signature.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { sampleCases } from '../../depth.ts';
import { gpuCases } from './gpu-vector-cases.ts';
import { acceptedRims, assessRimsWith } from './rim-fixture.ts';

/** The answer of a correct verifier on one RIM file. */
interface RimAnswer {
  readonly kind: 'driver' | 'vbios';
  readonly version: string;
  readonly verifyAt: number;
  readonly expected: string;
  readonly alsoFails?: readonly string[];
}

interface RealRim extends RimAnswer {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly subject: RimSubject;
}

const architectures = { hopper: 'hopper', blackwell: 'blackwell', ls10: 'ls10' } as const;

const rims: readonly RealRim[] = gpuCases().flatMap(({ name, folder, report, arch }) => {
  const { rim = {} } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
    readonly rim?: Readonly<Record<string, RimAnswer>>;
  };
  const architecture = Object.values(architectures).find((known) => known === arch) ?? null;
  return Object.entries(rim).map(([file, answer]) => ({
    ...answer,
    name: `${name} ${file}`,
    bytes: new Uint8Array(readFileSync(join(folder, file))),
    subject: rimSubjectOf(parseGpuReport(report), architecture),
  }));
});

const assess = (rim: RealRim, bytes: Uint8Array = rim.bytes, atUnix: number = rim.verifyAt): RimAssessment =>
  assessRims({ rims: [bytes], subject: rim.subject, ocsp: [], atUnix, roots: defaultTrustRoots });

const refuted = ({ checks }: RimAssessment, kind: string): readonly string[] =>
  checks.filter(({ status }) => status === 'refuted').map(({ id }) => id.replace(`rim-${kind}-`, ''));

describe('real RIM documents', () => {
  it('are counted, and the simulated ones run with or without them', () => {
    assert.equal(assessRimsWith().failure, null);
    assert.ok(rims.length === 0 || rims.length >= 6, `${rims.length} documents`);
    console.log(`      ${rims.length} real RIM documents`);
  });

  for (const rim of rims) {
    it(`${rim.name}: ${rim.expected}, as a correct verifier answers`, () => {
      const outcome = assess(rim);
      assert.deepEqual(refuted(outcome, rim.kind), rim.expected === 'valid' ? [] : [rim.expected, ...(rim.alsoFails ?? [])]);
      assert.equal(parseRim(rim.bytes).version, rim.version);
      assert.equal(outcome[rim.kind] === null, rim.expected !== 'valid');
      if (rim.expected === 'valid') assert.equal(outcome[rim.kind]?.simulated, false);
    });
  }

  const valid = rims.filter(({ expected }) => expected === 'valid');
  for (const rim of valid) {
    it(`${rim.name} holds from the second in which its signer begins to the one in which a certificate ends`, () => {
      const { chain } = parseRim(rim.bytes);
      const from = Math.max(...chain.map(({ notBeforeUnix }) => notBeforeUnix));
      const to = Math.min(...chain.map(({ notAfterUnix }) => notAfterUnix));
      const codes = [from - 1, from, to, to + 1].map((at) => assess(rim, rim.bytes, at).failure?.code ?? 'valid');
      assert.deepEqual(codes, ['STUN_CERTIFICATE_NOT_YET_VALID', 'valid', 'valid', 'STUN_CERTIFICATE_EXPIRED']);
    });

    it(`${rim.name} is refused with any one byte changed that means anything`, () => {
      const before = new TextDecoder().decode(canonicalizeXml(parseCappedXml(rim.bytes)));
      const codes = new Map<string, number>();
      for (const offset of sampleCases([...rim.bytes.keys()], 120)) {
        const bytes = rim.bytes.slice();
        bytes[offset] = (bytes[offset] ?? 0) ^ 0x01;
        const { failure } = assess(rim, bytes);
        const code = failure?.code ?? 'valid';
        codes.set(code, (codes.get(code) ?? 0) + 1);
        // Spaces between markup and in base64 are no part of what is said.
        if (failure === null) {
          const text = new TextDecoder().decode(canonicalizeXml(parseCappedXml(bytes)));
          assert.equal(text.replaceAll(/\s/g, ''), before.replaceAll(/\s/g, ''), `byte ${offset}`);
        } else assert.notEqual(code, 'STUN_INTERNAL', failure.message);
      }
      console.log(`      ${[...codes].map(([code, count]) => `${code} ${count}`).join(', ')}`);
    });

    it(`${rim.name} is refused when it is cut anywhere`, () => {
      const end = rim.bytes.lastIndexOf(0x3e);
      for (const length of sampleCases([...rim.bytes.keys()], 120)) {
        const { failure } = assess(rim, rim.bytes.subarray(0, length));
        assert.equal(failure?.code ?? null, length > end ? null : 'STUN_XML_FORMAT', `length ${length}`);
      }
    });
  }
});

describe('simulated RIM documents', () => {
  it('are digested and signed as they are written, which is their canonical form', () => {
    for (const bytes of Object.values(acceptedRims)) {
      const text = new TextDecoder().decode(bytes);
      const { document, signedInfo } = readEnvelopedSignature(parseCappedXml(bytes));
      assert.equal(new TextDecoder().decode(document), text.replace(/<ds:Signature .*<\/ds:Signature>/, ''));
      assert.equal(new TextDecoder().decode(signedInfo), /<ds:SignedInfo .*<\/ds:SignedInfo>/.exec(text)?.[0]);
    }
  });

  it('are refused with any one byte changed, or cut, by a code', () => {
    const codes = new Set<string>();
    for (const offset of sampleCases([...acceptedRims.driver.keys()], 300)) {
      const changed = acceptedRims.driver.slice();
      changed[offset] = (changed[offset] ?? 0) ^ 0x01;
      for (const bytes of [changed, acceptedRims.driver.subarray(0, offset)]) {
        const { failure, driver } = assessRimsWith({ rims: [bytes] });
        assert.ok(failure instanceof StunError, `byte ${offset} was accepted`);
        assert.equal(driver, null);
        codes.add(failure.code);
      }
    }
    assert.ok(!codes.has('STUN_INTERNAL'));
    console.log(`      ${[...codes].sort().join(', ')}`);
  });
});
