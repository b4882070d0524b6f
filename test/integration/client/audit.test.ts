import assert from 'node:assert/strict';
import {
  AuditLedger,
  auditOffline,
  auditOnChain,
  auditReport,
  exportAuditBundle,
  verifyAuditBundle,
  type AuditBundle,
  type AuditReport,
} from '#client/index.ts';
import { evidenceDigest } from '#attestation/index.ts';
import { toHex, utf8 } from '#protocol/index.ts';
import { sampleCases } from '#test/depth.ts';
import { changed, isUnder, leavesOf, withChange, type JsonValue } from './document-leaves.ts';
import { withOtherKey, withOtherPolicy } from './forged-bundle.ts';
import { startClientStage, type ClientStage } from './stage.ts';
import { settleOrder, testKeys, type SettledOrder } from './settled-order.ts';

describe('audit of a settled order', function () {
  this.timeout(600_000);
  let stage: ClientStage;
  let settled: SettledOrder;
  let document: JsonValue;

  before(async () => {
    stage = await startClientStage();
    settled = await settleOrder(stage);
    document = JSON.parse(JSON.stringify(settled.bundle)) as JsonValue;
  });
  after(async () => {
    settled.client.close();
    await stage.close();
  });

  const trust = () => ({ roots: [stage.pki.root], attestors: stage.attestors, threshold: 2 });
  const audit = (value: JsonValue): AuditReport => verifyAuditBundle(value, trust());
  const onChain = async (value: JsonValue): Promise<AuditReport> => {
    const ledger = new AuditLedger();
    const audited = auditOffline(value, trust(), ledger);
    assert.ok(audited);
    await auditOnChain(audited, ledger, stage.chain.provider, 0);
    return auditReport(audited, ledger, 'checked');
  };

  it('holds offline, with every check proven, and says that the chain was not asked', () => {
    const report = audit(document);
    assert.deepEqual(
      report.checks.filter((check) => check.status !== 'proven'),
      [],
    );
    assert.deepEqual(
      [report.ok, report.simulated, report.chain, report.jobs, report.served, report.total, report.provenTotal],
      [true, true, 'not checked', 3, 3, '2100', '2100'],
    );
    assert.ok(report.checks.length > 20, `${report.checks.length} checks`);
  });

  it('holds against the chain, whose money sums up', async () => {
    const report = await onChain(document);
    assert.deepEqual(
      report.checks.filter((check) => check.status !== 'proven'),
      [],
    );
    assert.equal(report.chain, 'checked');
  });

  it('is refuted at a field that names the change, for every field of the bundle', () => {
    const all = leavesOf(document);
    assert.ok(all.length > 120, `${all.length} fields`);
    const leaves = sampleCases(all, 20);
    const missed: string[] = [];
    const astray: string[] = [];
    for (const { path, keys } of leaves) {
      const report = audit(withChange(document, keys, (leaf) => changed(leaf as string | number | boolean | null, path)));
      const first = report.checks.find((check) => check.status === 'refuted');
      if (first === undefined || report.ok) missed.push(path);
      else if (!isUnder(path, [first.field ?? '', ...first.binds])) astray.push(`${path} -> ${first.id}: ${first.reason ?? ''}`);
    }
    console.log(`      changed ${leaves.length} of ${all.length} fields one at a time`);
    assert.deepEqual(missed, []);
    assert.deepEqual(astray, []);
  });

  const forgeries: readonly (readonly [field: string, forge: (bundle: AuditBundle) => AuditBundle])[] = [
    ['order.policy', withOtherPolicy],
    ['verificationKeys[0].maxJobs', withOtherKey],
  ];
  for (const [field, forge] of forgeries) {
    it(`is refuted at ${field} though every digest of it was made anew, with the opening transaction and without`, () => {
      const forged = forge(settled.bundle);
      const { openTransaction, ...order } = forged.order;
      assert.ok(openTransaction);
      for (const bundle of [forged, { ...forged, order }]) {
        const first = verifyAuditBundle(bundle, trust()).checks.find((check) => check.status === 'refuted');
        assert.ok(first && isUnder(field, first.binds), `${first?.id}: ${first?.binds.join()}`);
      }
    });
  }

  it('does not count approvals of other evidence for that of the bundle', () => {
    const forged = structuredClone(settled.bundle);
    const [enclave] = forged.enclaves;
    enclave!.approvedEvidenceDigest = toHex(evidenceDigest(utf8(enclave!.evidence)));
    enclave!.evidence += ' ';
    const open = verifyAuditBundle(forged, trust()).checks.filter((check) => check.status !== 'proven');
    assert.deepEqual(
      open.map(({ id, status, binds }) => [id, status, binds]),
      [['enclaves[0].approvedEvidence', 'unknown', ['enclaves[0].evidence', 'enclaves[0].approvedEvidenceDigest']]],
    );
    delete enclave!.approvedEvidenceDigest;
    const refuted = verifyAuditBundle(forged, trust()).checks.find((check) => check.status === 'refuted');
    assert.equal(refuted?.field, 'enclaves[0].approvals[0]');
    assert.ok(refuted.binds.includes('enclaves[0].evidence'));
  });

  it('is refuted when a field is missing or an unknown one is there', () => {
    for (const { path, keys } of leavesOf(document).filter((_, i) => i % 9 === 0)) {
      const copy = structuredClone(document) as Record<string | number, JsonValue>;
      let node = copy;
      for (const key of keys.slice(0, -1)) node = node[key] as Record<string | number, JsonValue>;
      if (Array.isArray(node)) continue;
      delete node[keys.at(-1)!];
      assert.equal(audit(copy).ok, false, `without ${path}`);
    }
    assert.equal(audit({ ...(document as object), extra: 1 }).checks[0]?.code, 'STUN_AUDIT_FORMAT');
    assert.equal(audit({}).ok, false);
    assert.equal(audit([]).ok, false);
  });

  it('is refuted when jobs or segments change places', () => {
    const copy = structuredClone(settled.bundle);
    copy.segments.reverse();
    assert.equal(verifyAuditBundle(copy, trust()).ok, true, 'segments stand on their own');
    const jobs = structuredClone(settled.bundle);
    jobs.segments[0]!.jobs.reverse();
    const report = verifyAuditBundle(jobs, trust());
    assert.equal(report.checks.find((check) => check.status === 'refuted')?.field, 'segments[0].jobs[0].demandSignature');
    const swapped = structuredClone(settled.bundle);
    swapped.enclaves[0]!.approvals.push(swapped.enclaves[0]!.approvals[0]!);
    const twice = verifyAuditBundle(swapped, trust()).checks.find((check) => check.status === 'refuted');
    assert.deepEqual([twice?.field, twice?.code], ['enclaves[0].approvals[2]', 'STUN_AUDIT_REFUTED']);
    const proofs = structuredClone(settled.bundle);
    const [first, second] = proofs.segments;
    [first!.settlement, second!.settlement] = [second!.settlement, first!.settlement];
    assert.equal(verifyAuditBundle(proofs, trust()).ok, false);
  });

  it('is refuted without the simulated root, and when its attestors are not accepted', () => {
    const untrusted = verifyAuditBundle(document, { ...trust(), roots: [] });
    assert.equal(untrusted.checks.find((check) => check.status === 'refuted')?.code, 'STUN_ROOT_UNTRUSTED');
    const strange = verifyAuditBundle(document, { ...trust(), attestors: stage.attestors.slice(2) });
    assert.equal(strange.checks.find((check) => check.status === 'refuted')?.field, 'enclaves[0].approvals');
    const unnamed = verifyAuditBundle(document, { ...trust(), attestors: [] });
    assert.equal(unnamed.checks.find((check) => check.id === 'enclaves[0].quorum')?.status, 'unknown');
  });

  it('is exported for one job with nothing else opened', async () => {
    const job = (await (await settled.client.store.lanes.ofOrder(settled.order.orderKey))[0]!.files.jobs())[0]!;
    const bundle = await exportAuditBundle(settled.client, settled.order, { jobId: job.jobId, open: 'job' }, testKeys);
    assert.deepEqual(
      bundle.segments.map((segment) => segment.jobs.map((one) => one.opened !== undefined)),
      [[true, false]],
    );
    assert.equal(verifyAuditBundle(bundle, trust()).ok, true);
    const report = await onChain(JSON.parse(JSON.stringify(bundle)) as JsonValue);
    assert.equal(report.ok, true);
    assert.equal(report.checks.find((check) => check.id === 'chain.complete')?.status, 'unknown');
  });

  it('is refuted by a chain on which it never settled', async () => {
    const other = await startClientStage();
    try {
      const ledger = new AuditLedger();
      const audited = auditOffline(document, trust(), ledger);
      assert.ok(audited);
      await auditOnChain(audited, ledger, other.chain.provider, 0);
      const refuted = ledger.list().find((check) => check.status === 'refuted');
      assert.equal(refuted?.id, 'chain.order');
      assert.equal(refuted.code, 'STUN_ORDER_UNKNOWN');
    } finally {
      await other.close();
    }
  });

  it('is refuted when the chain settled something else', async () => {
    const ledger = new AuditLedger();
    const audited = auditOffline(document, trust(), ledger);
    assert.ok(audited);
    const segments = audited.segments.map(
      (segment) => segment && { ...segment, signals: { ...segment.signals!, receiptsRoot: 1n } },
    );
    await auditOnChain({ ...audited, segments }, ledger, stage.chain.provider, 0);
    const refuted = ledger.list().filter((check) => check.status === 'refuted');
    assert.deepEqual(
      refuted.map((check) => [check.id, check.code]),
      [
        ['chain.segments[0].settlement', 'STUN_CHAIN_DISAGREES'],
        ['chain.segments[1].settlement', 'STUN_CHAIN_DISAGREES'],
      ],
    );
  });

  it('stays unknown against a node that does not answer', async () => {
    await stage.chain.goOffline();
    try {
      const ledger = new AuditLedger();
      const audited = auditOffline(document, trust(), ledger);
      assert.ok(audited);
      await auditOnChain(audited, ledger, stage.chain.provider, 0);
      const asked = ledger.list().filter((check) => check.id.startsWith('chain.'));
      assert.ok(asked.length > 0 && asked.every((check) => check.status === 'unknown'));
    } finally {
      await stage.chain.goOnline();
    }
  });
});
