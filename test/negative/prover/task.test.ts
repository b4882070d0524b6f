/** One change to a valid proof task, one code; no proof is attempted. */
import assert from 'node:assert/strict';
import { enclaveLeafOf, fieldToHex, randomField, signEddsa, settlementBundleToWire } from '#protocol/index.ts';
import { demandHeadOf } from '#protocol/demand.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { SettlementProofTask } from '#prover/interface.ts';
import { provableSegment, readTask } from '#prover/segment.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { makeTask, type MadeTask } from '#test/unit/prover/task-fixture.ts';

type Change = (task: SettlementProofTask, made: MadeTask) => void;

const malformed: readonly [string, Change][] = [
  ['nine siblings', (task) => void task.enclavePath.siblings.pop()],
  ['an index outside the tree', (task) => void (task.enclavePath.index = 1024)],
  ['a fractional time', (task) => void (task.validAtUnix += 0.5)],
  ['a field nobody knows', (task) => void Object.assign(task, { note: 1 })],
  ['no job', (task) => void (task.bundle.jobs = [])],
];

const refused: readonly [string, ErrorCode, Change][] = [
  ['a path to another root', 'STUN_PROOF_ROOT', (task) => void (task.enclavePath.root = fieldToHex(randomField()))],
  ['the path of another leaf', 'STUN_PROOF_ROOT', (task) => void (task.enclavePath.index = 0)],
  ['a changed sibling', 'STUN_PROOF_ROOT', (task) => void (task.enclavePath.siblings[9] = fieldToHex(randomField()))],
  ['a leaf of another expiry', 'STUN_PROOF_ROOT', (task) => void task.bundle.leafExpiresAtUnix++],
  ['a leaf of another machine', 'STUN_PROOF_ROOT', (task) => void (task.bundle.hardwareIdHash = fieldToHex(randomField()))],
  [
    'a time at which the leaf has just expired',
    'STUN_PROOF_VALID_AT',
    (task, { bundle }) => void (task.validAtUnix = bundle.leaf.expiresAtUnix),
  ],
  ['a root that is no field element', 'STUN_RANGE', (task) => void (task.enclavePath.root = `0x${'ff'.repeat(32)}`)],
  ['a dropped job', 'STUN_SIGNATURE', (task) => void task.bundle.jobs.pop()],
  [
    'a price over the maximum that was signed for',
    'STUN_PRICE_CAP',
    (task) => void (task.bundle.jobs[0]!.receipt.price = (BigInt(task.bundle.jobs[0]!.maxPrice) + 1n).toString()),
  ],
  ['a lower price than the enclave stated', 'STUN_STATEMENT_MISMATCH', (task) => void (task.bundle.jobs[0]!.receipt.price = '1')],
  ['another lane', 'STUN_SEGMENT', (task) => void task.bundle.laneIndex++],
  ['another salt', 'STUN_SEGMENT', (task) => void (task.bundle.opening.salt = fieldToHex(randomField()))],
];

describe('prover: tasks that are refused before proving', () => {
  let made: MadeTask;

  before(async () => {
    made = await makeTask('settlement-16', 3);
  });

  it('accepts the unchanged task', () => {
    const segment = provableSegment(readTask(made.task));
    assert.equal(segment.signals.total, made.bundle.statement.total);
    assert.equal(enclaveLeafOf(segment.bundle.leaf), enclaveLeafOf(made.bundle.leaf));
  });

  it('accepts a time one second before the leaf expires', () => {
    const validAtUnix = made.bundle.leaf.expiresAtUnix - 1;
    assert.equal(provableSegment({ ...made.task, validAtUnix }).validAtUnix, validAtUnix);
  });

  for (const [what, change] of malformed) {
    it(`refuses the form of a task with ${what}`, () => {
      const task = structuredClone(made.task);
      change(task, made);
      throwsCode(() => readTask(task), 'STUN_INPUT');
    });
  }

  for (const [what, code, change] of refused) {
    it(`refuses ${what} with ${code}`, () => {
      const task = structuredClone(made.task);
      change(task, made);
      throwsCode(() => provableSegment(readTask(task)), code);
    });
  }

  it('refuses the demands of a lane signed by a stranger', () => {
    const wire = settlementBundleToWire(made.bundle);
    const last = made.bundle.jobs.at(-1)!;
    const head = demandHeadOf(made.bundle.jobs.at(-2)!.receipt.demandHead, last.demand);
    const stranger = { secret: 5n, publicKey: made.bundle.keyset.receiptKey };
    const forged = signEddsa(stranger, head);
    wire.demandSignature = { r8: { x: fieldToHex(forged.r8.x), y: fieldToHex(forged.r8.y) }, s: fieldToHex(forged.s) };
    throwsCode(() => provableSegment({ ...made.task, bundle: wire }), 'STUN_SIGNATURE');
  });
});
