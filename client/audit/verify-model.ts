/** The compiled model of an order: that the model id binds it, and whose word its key rests on. */
import { ASSURANCE, publicModelFromWire, type ModelSetup, type OpenedOrder, type PublicModel } from '#protocol/index.ts';
import type { AuditBundle } from './bundle.ts';
import { refute, type AuditLedger } from './report.ts';

const WHAT_SETUP_LEAVES_OPEN: Readonly<Record<ModelSetup, string>> = {
  development: 'a development key: anybody can forge proofs of the model',
  rehearsal: 'the key of a rehearsal: whoever made its powers of tau can forge proofs of the model',
  ceremony: 'who approved the ceremony of the key only the chain knows',
};

/** The compiled model that the order names, where the bundle holds it. */
export function verifyModel({ order: wire }: AuditBundle, order: OpenedOrder, ledger: AuditLedger): PublicModel | undefined {
  const field = 'order.publicModel';
  if (wire.publicModel === undefined) {
    if (order.terms.assurance !== ASSURANCE.attested)
      ledger.unknown(field, 'the bundle does not hold the compiled model of the order');
    return undefined;
  }
  const found = ledger.check({ id: field, field, binds: [field, 'order.opening.modelId'] }, () => {
    const publicModel = publicModelFromWire(wire.publicModel);
    if (publicModel.model.modelId !== order.opening.modelId) refute('the compiled model is not that of the order');
    return publicModel;
  });
  if (found !== undefined) ledger.unknown(`${field}.setup`, WHAT_SETUP_LEAVES_OPEN[found.model.setup]);
  return found;
}
