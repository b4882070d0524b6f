/** Writes an ensemble of trees as ONNX's TreeEnsembleRegressor, version 3: parallel lists of nodes and of leaves. */
import type { FloatTree } from '../float/float-model.ts';
import type { Node } from './write-onnx.ts';

interface Lists {
  readonly nodes: { tree: number; node: number; feature: number; value: number; mode: string; yes: number; no: number }[];
  readonly targets: { tree: number; node: number; target: number; weight: number }[];
}

function addTree({ nodes, targets }: Lists, root: FloatTree, tree: number): void {
  let count = 0;
  const place = (at: FloatTree): number => {
    const node = count++;
    if ('leaf' in at) {
      nodes.push({ tree, node, feature: 0, value: 0, mode: 'LEAF', yes: 0, no: 0 });
      for (const [target, weight] of at.leaf.entries()) targets.push({ tree, node, target, weight });
      return node;
    }
    const entry = { tree, node, feature: at.feature, value: at.threshold, mode: 'BRANCH_LEQ', yes: 0, no: 0 };
    nodes.push(entry);
    entry.yes = place(at.below);
    entry.no = place(at.above);
    return node;
  };
  place(root);
}

/**
 * The node; a feature equal to a threshold goes below it.
 * @param scores - leaves have as many values
 * @param postTransform - `NONE` or `LOGISTIC`
 */
export function treeEnsemble(
  trees: readonly FloatTree[],
  scores: number,
  postTransform: 'NONE' | 'LOGISTIC',
  names: { readonly input: string; readonly output: string },
): Node {
  const lists: Lists = { nodes: [], targets: [] };
  for (const [index, tree] of trees.entries()) addTree(lists, tree, index);
  const { nodes, targets } = lists;
  return {
    op: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    inputs: [names.input],
    outputs: [names.output],
    attributes: {
      aggregate_function: 'SUM',
      n_targets: scores,
      nodes_falsenodeids: { ints: nodes.map(({ no }) => no) },
      nodes_featureids: { ints: nodes.map(({ feature }) => feature) },
      nodes_modes: { strings: nodes.map(({ mode }) => mode) },
      nodes_nodeids: { ints: nodes.map(({ node }) => node) },
      nodes_treeids: { ints: nodes.map(({ tree }) => tree) },
      nodes_truenodeids: { ints: nodes.map(({ yes }) => yes) },
      nodes_values: { floats: nodes.map(({ value }) => value) },
      post_transform: postTransform,
      target_ids: { ints: targets.map(({ target }) => target) },
      target_nodeids: { ints: targets.map(({ node }) => node) },
      target_treeids: { ints: targets.map(({ tree }) => tree) },
      target_weights: { floats: targets.map(({ weight }) => weight) },
    },
  };
}
