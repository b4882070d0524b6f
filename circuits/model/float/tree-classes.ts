/**
 * What a TreeEnsembleClassifier answers is less than its definition says: ONNX leaves the label of two classes open, and onnxruntime decides it
 * by the signs of all leaves. Only ensembles whose label follows from the order of their scores are compiled.
 *
 * Source: ONNX operator documentation, `ai.onnx.ml`, TreeEnsembleClassifier version 3; the rest was observed of onnxruntime 1.30, which
 * test/circuits/model-labels.test.ts repeats.
 */
import type { OnnxNode } from '../onnx/read-onnx.ts';
import { classLabelsOf, numbersAttribute, refuseNode, textsAttribute } from './attributes.ts';
import type { ClassLabel } from './float-model.ts';

/** The four lists in which an ensemble keeps what its leaves add, of equal length. */
export interface LeafLists {
  /** The score that is added to. */
  readonly ids: readonly number[];
  readonly nodes: readonly number[];
  readonly trees: readonly number[];
  readonly weights: readonly number[];
}

/** Two classes with one score: the second wins above 0, but above 1/2 when no leaf is negative. */
function assertOneScore(node: OnnxNode, { weights }: LeafLists, logistic: boolean): void {
  if (!logistic) refuseNode(node, 'two classes without LOGISTIC leave their threshold to the runtime: export it with LOGISTIC');
  if (weights.every((weight) => weight >= 0))
    refuseNode(node, 'two classes without a negative leaf are told apart at 1/2 of the score, not of the probability');
}

/** The greatest wins, but of the scores to which something was added. */
function assertAllScored(node: OnnxNode, { ids, nodes, trees }: LeafLists, scores: number): void {
  if (numbersAttribute(node, 'base_values').length > 0) return;
  const modes = textsAttribute(node, 'nodes_modes');
  const leaves = new Map<number, number>();
  for (const [i, tree] of numbersAttribute(node, 'nodes_treeids').entries())
    if (modes[i] === 'LEAF') leaves.set(tree, (leaves.get(tree) ?? 0) + 1);
  const reached = new Map<string, Set<number>>();
  for (const [i, id] of ids.entries()) {
    const key = `${trees[i]!}:${id}`;
    reached.set(key, (reached.get(key) ?? new Set()).add(nodes[i]!));
  }
  const scored = (id: number): boolean =>
    Array.from(leaves).some(([tree, count]) => reached.get(`${tree}:${id}`)?.size === count);
  const open = Array.from({ length: scores }, (_, id) => id).find((id) => !scored(id));
  if (open !== undefined) refuseNode(node, `no tree adds to class ${open} in all of its leaves: give it base_values`);
}

/**
 * The labels of a TreeEnsembleClassifier, once its answer is known to be that of its scores.
 * @param scores - how many its leaves add to
 * @param logistic - whether its post_transform is LOGISTIC
 * @throws `STUN_MODEL_OPERATOR`
 */
export function treeClassLabels(node: OnnxNode, leaves: LeafLists, scores: number, logistic: boolean): readonly ClassLabel[] {
  const labels = classLabelsOf(node, 'classlabels_int64s', scores);
  if (scores === 1) assertOneScore(node, leaves, logistic);
  else if (scores === 2)
    refuseNode(node, 'of two classes with a score each the runtime looks at the second alone: give them one');
  else assertAllScored(node, leaves, scores);
  return labels;
}
