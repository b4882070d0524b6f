/** Proof tasks over real segments: real keys, signatures, trees and the family of a real circuit. */
import { loadManifest } from '#circuits/manifest.ts';
import {
  enclaveLeafOf,
  enclaveTree,
  fieldToHex,
  policyIdOf,
  randomField,
  settlementBundleToWire,
  utf8,
  type SettlementBundle,
} from '#protocol/index.ts';
import type { SettlementProofTask } from '#prover/interface.ts';
import { makeBundle, makeEnclave, makeOrder, NOW } from '#test/unit/protocol/fixtures.ts';

/** A task with the bundle it was made of. */
export interface MadeTask {
  readonly task: SettlementProofTask;
  readonly bundle: SettlementBundle;
}

/** A segment of `count` jobs for a circuit, its enclave the second of a tree of three. */
export async function makeTask(circuit: string, count: number, change: Parameters<typeof makeBundle>[3] = {}): Promise<MadeTask> {
  const { familyId, n } = await loadManifest(circuit);
  const order = makeOrder({ terms: { settlementFamily: familyId, segmentLength: n } });
  const enclave = await makeEnclave(policyIdOf(utf8('{"version":1}')));
  const bundle = makeBundle(order, enclave, count, change);
  const tree = enclaveTree([randomField(), enclaveLeafOf(bundle.leaf), randomField()]);
  const path = tree.path(1);
  return {
    bundle,
    task: {
      bundle: settlementBundleToWire(bundle),
      enclavePath: { root: fieldToHex(tree.root), index: path.index, siblings: path.siblings.map((one) => fieldToHex(one)) },
      validAtUnix: NOW,
    },
  };
}
