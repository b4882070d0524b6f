import assert from 'node:assert/strict';
import { assessSnp, parseSnpReport, snpCollateralKeyOf } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { encodePem } from '#attestation/x509/pem.ts';
import { amdKds, loadSnpEndorsements } from '#collateral/amd-kds.ts';
import type { SnpCollateralKey, SnpEndorsementsDocument } from '#collateral/amd-kds.ts';
import { fromNetwork } from '#collateral/published.ts';
import { toHex } from '#protocol/bytes.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { atUnix, reportData } from '../attestation/simulated-fixture.ts';
import { snpMachine } from '../attestation/snp-fixture.ts';
import type { Recorded } from './fetched-collateral.ts';
import { recorded } from './fetched-collateral.ts';

const bodyOf = (bytes: Uint8Array | null): Uint8Array<ArrayBuffer> => new Uint8Array(bytes ?? []);

/** The answers of an honest service for a machine. */
function served(
  { endorsements }: Pick<ReturnType<typeof snpMachine>, 'endorsements'>,
  { product, hwid, signer }: SnpCollateralKey,
): Map<string, () => Response> {
  const { vek, ask, ark, crl } = endorsements;
  return new Map([
    [`/vcek/v1/${product}/${hwid ?? ''}`, () => new Response(bodyOf(vek))],
    [`/${signer}/v1/${product}/cert_chain`, () => new Response(encodePem(ask) + encodePem(ark))],
    [`/${signer}/v1/${product}/crl`, () => new Response(bodyOf(crl))],
  ]);
}

function load(dependencies: Recorded, key: SnpCollateralKey, vlek?: string): Promise<SnpEndorsementsDocument> {
  return loadSnpEndorsements(fromNetwork, amdKds, dependencies, key, vlek);
}

describe('AMD endorsements over HTTP', () => {
  const machine = snpMachine();
  const report = machine.report(reportData);
  const key = snpCollateralKeyOf(parseSnpReport(report));

  it('are asked for by product, chip and TCB, and verify as they came', async () => {
    const dependencies = recorded(served(machine, key));
    const endorsements = await load(dependencies, key);
    const { product, hwid, tcb } = key;
    const query = `blSPL=${tcb.bootloader}&teeSPL=${tcb.tee}&snpSPL=${tcb.snp}&ucodeSPL=${tcb.microcode}`;
    assert.deepEqual(dependencies.urls, [
      `https://kdsintf.amd.com/vcek/v1/${product}/${hwid}?${query}`,
      `https://kdsintf.amd.com/vcek/v1/${product}/cert_chain`,
      `https://kdsintf.amd.com/vcek/v1/${product}/crl`,
    ]);
    assert.equal(hwid?.length, 128);
    const roots = [machine.root];
    assert.equal(assessSnp({ report, endorsements, atUnix, roots, policy: simulatedPolicy }).failure, null);
  });

  it('of a Turin chip are asked for by eight bytes and the level of its FMC', async () => {
    const turin = snpMachine({ product: 'Turin', chipId: new Uint8Array(64).fill(7, 0, 8) });
    const turinReport = turin.report(reportData);
    const turinKey = snpCollateralKeyOf(parseSnpReport(turinReport));
    const dependencies = recorded(served(turin, turinKey));
    const endorsements = await load(dependencies, turinKey);
    assert.match(dependencies.urls[0] ?? '', /\/vcek\/v1\/Turin\/0707070707070707\?fmcSPL=\d+&blSPL=/);
    const given = { report: turinReport, endorsements, atUnix, roots: [turin.root], policy: simulatedPolicy };
    assert.equal(assessSnp(given).verified?.kind, 'snp');
  });

  it('of a report under a VLEK take its certificate from the caller and the rest from the paths of VLEKs', async () => {
    const cloud = snpMachine({ signer: 'vlek' });
    const vlekKey = snpCollateralKeyOf(parseSnpReport(cloud.report(reportData)));
    assert.deepEqual([vlekKey.signer, vlekKey.hwid], ['vlek', null]);
    const dependencies = recorded(served(cloud, vlekKey));
    const endorsements = await load(dependencies, vlekKey, toHex(cloud.endorsements.vek));
    assert.equal(endorsements.vek, toHex(cloud.endorsements.vek));
    assert.ok(dependencies.urls.every((url) => url.includes('/vlek/v1/')));
    await rejectsCode(load(dependencies, vlekKey), 'STUN_SNP_SIGNER');
  });

  it('wait as the rate limit asks, and no longer than they may', async () => {
    const replies = served(machine, key);
    const crl = `/vcek/v1/${key.product}/crl`;
    const good = replies.get(crl) ?? assert.fail();
    const limited = (seconds: string) => () => new Response('', { status: 429, headers: { 'retry-after': seconds } });
    const queue = [limited('12'), limited('9999'), limited('soon'), good];
    replies.set(crl, () => (queue.shift() ?? good)());
    const dependencies = recorded(replies);
    await load(dependencies, key);
    assert.deepEqual(dependencies.pausesMs, [12_000, 30_000, 8000]);
  });

  for (const [name, path, reply, code] of [
    ['a chip that AMD does not know', 'vcek', () => new Response('', { status: 404 }), 'STUN_COLLATERAL_NOT_FOUND'],
    [
      'a certificate cut short',
      'vcek',
      () => new Response(bodyOf(machine.endorsements.vek.slice(0, -1))),
      'STUN_COLLATERAL_RESPONSE',
    ],
    ['a page', 'vcek', () => new Response('<html>'), 'STUN_COLLATERAL_RESPONSE'],
    ['a chain of one', 'chain', () => new Response(encodePem(machine.endorsements.ark)), 'STUN_COLLATERAL_RESPONSE'],
    ['a CRL with a tail', 'crl', () => new Response(Uint8Array.of(0x30, 0, 0)), 'STUN_COLLATERAL_RESPONSE'],
    ['a service that is down', 'crl', () => new Response('', { status: 500 }), 'STUN_COLLATERAL_UNAVAILABLE'],
  ] as const) {
    it(`are refused with ${name}`, async () => {
      const replies = served(machine, key);
      const of = {
        vcek: `/vcek/v1/${key.product}/${key.hwid}`,
        chain: `/vcek/v1/${key.product}/cert_chain`,
        crl: `/vcek/v1/${key.product}/crl`,
      };
      await rejectsCode(load(recorded(replies.set(of[path], reply)), key), code);
    });
  }

  it('cannot be asked for when the report names no chip or no product', async () => {
    const none = recorded(new Map());
    await rejectsCode(load(none, { ...key, hwid: '0'.repeat(128) }), 'STUN_SNP_HWID');
    await rejectsCode(load(none, { ...key, hwid: '00' }), 'STUN_INPUT');
    await rejectsCode(load(none, { ...key, hwid: '../'.padEnd(128, 'a') }), 'STUN_INPUT');
    await rejectsCode(load(none, { ...key, tcb: { ...key.tcb, snp: 256 } }), 'STUN_INPUT');
    const parsed = parseSnpReport(report);
    throwsCode(() => snpCollateralKeyOf({ ...parsed, cpuid: null }), 'STUN_SNP_PRODUCT');
    throwsCode(() => snpCollateralKeyOf({ ...parsed, signer: 'none' }), 'STUN_SNP_SIGNER');
    throwsCode(() => snpCollateralKeyOf({ ...parsed, reportedTcb: new Uint8Array(8).fill(1) }), 'STUN_SNP_TCB');
    assert.equal(none.urls.length, 0);
  });
});
