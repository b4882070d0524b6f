/** Attributes of ONNX nodes, as what they must be. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { AttributeValue, OnnxNode } from '../onnx/read-onnx.ts';

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
