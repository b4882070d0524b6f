/** Audit bundles in which one field changed and every digest of it was made anew, so that only a signature or a proof can tell. */
import { canonicalPolicyJson, parsePolicy } from '#attestation/index.ts';
import type { AuditBundle } from '#client/index.ts';
import { settlementFamily } from '#client/audit/groth16.ts';
import { fieldToHex, fromHex, policyIdOf, publicModelFromWire, utf8 } from '#protocol/index.ts';

/** Another policy, and the policyId of it. */
export function withOtherPolicy(bundle: AuditBundle): AuditBundle {
  const copy = structuredClone(bundle);
  const policy = canonicalPolicyJson({ ...parsePolicy(bundle.order.policy), sevSnp: null });
  copy.order.policy = policy;
  copy.order.opening.policyId = fieldToHex(policyIdOf(utf8(policy)));
  return copy;
}

/** A settlement key of fewer jobs, and the family of it. */
export function withOtherKey(bundle: AuditBundle): AuditBundle {
  const copy = structuredClone(bundle);
  const [key] = copy.verificationKeys;
  key!.maxJobs--;
  copy.order.opening.terms.settlementFamily = settlementFamily(key!.maxJobs, fromHex(key!.key));
  return copy;
}

/** A compiled model under another name, and the ids of it. */
export function withOtherModel(bundle: AuditBundle): AuditBundle {
  const copy = structuredClone(bundle);
  const { publicModel, opening } = copy.order;
  publicModel!.manifest = JSON.stringify({ ...(JSON.parse(publicModel!.manifest) as object), name: 'another model' });
  const modelId = fieldToHex(publicModelFromWire(publicModel).model.modelId);
  copy.order.opening = { ...opening, modelId, terms: { ...opening.terms, publicModelId: modelId } };
  return copy;
}
