/** Attributes of ONNX nodes, as what they must be. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { AttributeValue, OnnxNode } from '../onnx/read-onnx.ts';
import type { ClassLabel } from './float-model.ts';

/** @throws `STUN_MODEL_OPERATOR` always */
export function refuseNode(node: OnnxNode, reason: string): never {
  throw new StunError('STUN_MODEL_OPERATOR', `${node.op} (${node.name}): ${reason}`);
}

/** A numeric attribute. */
export function numberAttribute(node: OnnxNode, name: string, fallback: number): number {
  const value: AttributeValue = node.attributes.get(name) ?? fallback;
  return typeof value === 'number' ? value : refuseNode(node, `attribute ${name} must be a number`);
}

/** A list of numbers; empty when absent. */
export function numbersAttribute(node: OnnxNode, name: string): readonly number[] {
  const value = node.attributes.get(name) ?? [];
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'number'))
    return refuseNode(node, `attribute ${name} must be numbers`);
  return value as readonly number[];
}

/** A text, or the fallback when it is absent. */
export function textAttribute(node: OnnxNode, name: string, fallback: string): string {
  const value: AttributeValue = node.attributes.get(name) ?? fallback;
  return typeof value === 'string' ? value : refuseNode(node, `attribute ${name} must be a text`);
}

/** A list of texts; empty when absent. */
export function textsAttribute(node: OnnxNode, name: string): readonly string[] {
  const value = node.attributes.get(name) ?? [];
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'string'))
    return refuseNode(node, `attribute ${name} must be texts`);
  return value as readonly string[];
}

/**
 * The labels of a classifier, in the order of its scores. Two labels for one score: that of a score that is not positive, then the other.
 * @param integers - the attribute of whole numbers; texts are in `classlabels_strings`
 * @throws `STUN_MODEL_OPERATOR` when there are none, both kinds, equal ones, or another number of them than scores ask for
 */
export function classLabelsOf(node: OnnxNode, integers: string, scores: number): readonly ClassLabel[] {
  const lists = [numbersAttribute(node, integers), textsAttribute(node, 'classlabels_strings')] as const;
  const [labels = [], ...more] = lists.filter((list) => list.length > 0);
  const wanted = Math.max(scores, 2);
  if (more.length > 0) refuseNode(node, 'it has class labels of two kinds');
  if (labels.length !== wanted) refuseNode(node, `${labels.length} class labels, ${wanted} are needed for ${scores} scores`);
  if (new Set<ClassLabel>(labels).size !== labels.length) refuseNode(node, 'two of its class labels are equal');
  return labels;
}
