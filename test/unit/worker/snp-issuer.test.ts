import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeEvidence, encodeSnpEndorsements, parseEvidence, verifyEvidence } from '#attestation/index.ts';
import type { SnpEndorsementBytes } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { encodePem } from '#attestation/x509/pem.ts';
import { concatBytes, fromHex, PLATFORM, utf8 } from '#protocol/index.ts';
import { parseCertificateTable, tableGuids } from '#worker/issuer/certificate-table.ts';
import { collateralFile } from '#worker/issuer/collateral-file.ts';
import { issueEvidence } from '#worker/issuer/issuer.ts';
import { createSnpIssuer } from '#worker/issuer/snp.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { atUnix, keysetDigest, nonce } from '../attestation/simulated-fixture.ts';
import { snpMachine } from '../attestation/snp-fixture.ts';
import { createTsmDouble, type TsmDouble } from './tsm-double.ts';

type Entries = readonly (readonly [keyof typeof tableGuids, Uint8Array])[];

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A table as hosts make them: the entries, a GUID of zeros, then the certificates in the same order. */
function tableOf(entries: Entries): Uint8Array {
  let offset = (entries.length + 1) * 24;
  const heads = entries.map(([name, bytes]) => {
    const head = concatBytes(fromHex(`0x${tableGuids[name]}`), u32(offset), u32(bytes.length));
    offset += bytes.length;
    return head;
  });
  return concatBytes(...heads, new Uint8Array(24), ...entries.map(([, bytes]) => bytes));
}

function entriesOf({ vek, ask, ark, crl }: SnpEndorsementBytes): Entries {
  return [['vcek', vek], ['ask', ask], ['ark', ark], ...(crl === null ? [] : [['crl', crl] as const])];
}

const snp = snpMachine();

describe('evidence of a SEV-SNP guest', () => {
  let double: TsmDouble;
  beforeEach(async () => {
    double = await createTsmDouble();
    double.provider = 'sev_guest';
    double.report = snp.report;
  });
  const context = { atUnix, roots: [snp.root], policy: simulatedPolicy, keysetDigest };
  /** What the kernel gives comes from the simulator, which the document must then say. */
  const verified = (document: Uint8Array): ReturnType<typeof verifyEvidence> =>
    verifyEvidence(encodeEvidence({ ...parseEvidence(document), simulated: true }), context);

  it('carries the endorsements of the host and verifies', async () => {
    double.auxblob = tableOf(entriesOf(snp.endorsements));
    const issuer = createSnpIssuer(double, undefined);
    assert.equal(issuer.platformCode, PLATFORM.snp);
    const document = await issueEvidence(issuer, keysetDigest, nonce);
    throwsCode(() => verifyEvidence(document, context), 'STUN_EVIDENCE_SIMULATED_TAG');
    assert.equal(verified(document).platform.kind, 'snp');
    assert.deepEqual(parseEvidence(document).collateral, encodeSnpEndorsements(snp.endorsements));
  });

  it('takes from the file what the table lacks, and the table before the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stun-snp-'));
    const path = join(folder, 'endorsements.json');
    const endorsements = encodeSnpEndorsements(snp.endorsements);
    await writeFile(path, JSON.stringify({ ...endorsements, vek: '0x00' }));
    double.auxblob = tableOf([['vcek', snp.endorsements.vek]]);
    assert.deepEqual(
      verified(await issueEvidence(createSnpIssuer(double, collateralFile(path)), keysetDigest, nonce)).nonce,
      nonce,
    );
    double.auxblob = new Uint8Array();
    const stale = await issueEvidence(createSnpIssuer(double, collateralFile(path)), keysetDigest, nonce);
    throwsCode(() => verified(stale), 'STUN_DER_FORMAT');
  });

  it('without a CRL says so, and is refused where revocation must be known', async () => {
    double.auxblob = tableOf(entriesOf({ ...snp.endorsements, crl: null }));
    const document = await issueEvidence(createSnpIssuer(double, undefined), keysetDigest, nonce);
    throwsCode(() => verified(document), 'STUN_POLICY_REVOCATION');
  });

  it('is not made without the certificates of its key', async () => {
    double.auxblob = tableOf([
      ['vlek', snp.endorsements.vek],
      ['ask', snp.endorsements.ask],
      ['ark', snp.endorsements.ark],
    ]);
    await rejectsCode(createSnpIssuer(double, undefined).issue(new Uint8Array(64)), 'STUN_ENDORSEMENTS_MISSING');
    double.auxblob = undefined;
    await rejectsCode(createSnpIssuer(double, undefined).issue(new Uint8Array(64)), 'STUN_ENDORSEMENTS_MISSING');
  });
});

describe('certificate table of a SEV-SNP host', () => {
  const one = utf8('certificate');
  const whole = tableOf([
    ['ark', one],
    ['ask', utf8('other')],
  ]);

  it('gives what it names; an empty one gives nothing', () => {
    assert.deepEqual(parseCertificateTable(whole), { ark: one, ask: utf8('other') });
    assert.deepEqual(parseCertificateTable(new Uint8Array()), {});
    assert.deepEqual(parseCertificateTable(new Uint8Array(24)), {});
  });

  it('leaves out entries of other GUIDs and of no length', () => {
    const foreign = whole.slice();
    foreign.fill(0x11, 0, 16);
    assert.deepEqual(parseCertificateTable(foreign), { ask: utf8('other') });
    assert.deepEqual(parseCertificateTable(tableOf([['crl', new Uint8Array()]])), {});
  });

  it('takes PEM too', () => {
    const pem = utf8(encodePem(snp.endorsements.ark));
    assert.deepEqual(parseCertificateTable(tableOf([['ark', pem]])), { ark: snp.endorsements.ark });
  });

  it('is refused when it is cut, points outside, into itself, or names something twice', () => {
    for (let length = 1; length < whole.length; length++) {
      throwsCode(() => parseCertificateTable(whole.subarray(0, length)), 'STUN_CERTIFICATE_TABLE');
    }
    for (const [at, value] of [
      [16, 0],
      [16, 71],
      [20, 4_294_967_295],
      [16, whole.length],
    ] as const) {
      const changed = whole.slice();
      changed.set(u32(value), at);
      throwsCode(() => parseCertificateTable(changed), 'STUN_CERTIFICATE_TABLE');
    }
    throwsCode(
      () =>
        parseCertificateTable(
          tableOf([
            ['ark', one],
            ['ark', one],
          ]),
        ),
      'STUN_CERTIFICATE_TABLE',
    );
  });
});
