/**
 * Tree ensembles of `ai.onnx.ml`: TreeEnsembleRegressor and TreeEnsembleClassifier, version 3, with sums or averages of leaves. Gradient-boosted trees and
 * forests of the common exporters are written so.
 */
import { MAX_TREE_DEPTH } from '../limits.ts';
import type { OnnxModel, OnnxNode } from '../onnx/read-onnx.ts';
import { numberedLabels, type FloatModel, type FloatTree, type SourceOutput } from './float-model.ts';
import { numbersAttribute, refuseNode, textAttribute, textsAttribute } from './attributes.ts';
import { treeClassLabels, type LeafLists } from './tree-classes.ts';

const MAX_NODES = 1_000_000;
const MAX_SCORES = 4096;

/** One row of the parallel lists. */
interface Entry {
  readonly mode: string;
  readonly feature: number;
  readonly threshold: number;
  readonly yes: number;
  readonly no: number;
}

type Lists = Readonly<Record<'trees' | 'nodes' | 'features' | 'values' | 'yes' | 'no', readonly number[]>>;

function listsOf(node: OnnxNode): Lists & { readonly modes: readonly string[] } {
  const list = (name: string): readonly number[] => numbersAttribute(node, name);
  const lists = {
    trees: list('nodes_treeids'),
    nodes: list('nodes_nodeids'),
    features: list('nodes_featureids'),
    values: list('nodes_values'),
    yes: list('nodes_truenodeids'),
    no: list('nodes_falsenodeids'),
    modes: textsAttribute(node, 'nodes_modes'),
  };
  const length = lists.trees.length;
  if (length === 0 || length > MAX_NODES) refuseNode(node, `the ensemble has ${length} nodes`);
  for (const [name, values] of Object.entries(lists))
    if (values.length !== length) refuseNode(node, `its list of ${name} has another length`);
  return lists;
}

/** Which branch a mode takes when the feature is above the threshold, and whether equality counts as above. */
const modes: Readonly<Record<string, readonly [aboveIsYes: boolean, inclusive: boolean]>> = {
  BRANCH_LEQ: [false, false],
  BRANCH_LT: [false, true],
  BRANCH_GTE: [true, true],
  BRANCH_GT: [true, false],
};

/** Builds the trees of one operator. */
class Reader {
  readonly #node: OnnxNode;
  readonly #features: number;
  readonly #scores: number;
  readonly #entries = new Map<string, Entry>();
  readonly #leaves = new Map<string, number[]>();
  readonly #order: number[] = [];
  #inclusive: boolean | null = null;

  constructor(node: OnnxNode, features: number, scores: number) {
    this.#node = node;
    this.#features = features;
    this.#scores = scores;
    const { trees, nodes, features: featureIds, values, yes, no, modes: names } = listsOf(node);
    for (const [i, tree] of trees.entries()) {
      const key = `${tree}:${nodes[i]!}`;
      if (this.#entries.has(key)) refuseNode(node, `node ${nodes[i]!} of tree ${tree} stands twice`);
      this.#entries.set(key, { mode: names[i]!, feature: featureIds[i]!, threshold: values[i]!, yes: yes[i]!, no: no[i]! });
      if (!this.#order.includes(tree)) this.#order.push(tree);
    }
  }

  addLeaf(tree: number, node: number, score: number, weight: number): void {
    if (!Number.isInteger(score) || score < 0 || score >= this.#scores) refuseNode(this.#node, `a leaf is for score ${score}`);
    if (!Number.isFinite(weight)) refuseNode(this.#node, `a leaf of tree ${tree} is not finite`);
    const key = `${tree}:${node}`;
    const leaf = this.#leaves.get(key) ?? new Array<number>(this.#scores).fill(0);
    leaf[score]! += weight;
    this.#leaves.set(key, leaf);
  }

  trees(): FloatTree[] {
    return this.#order.map((tree) => this.#build(tree, 0, 0));
  }

  get inclusive(): boolean {
    return this.#inclusive ?? false;
  }

  #build(tree: number, id: number, depth: number): FloatTree {
    const node = this.#node;
    if (depth > MAX_TREE_DEPTH) refuseNode(node, `tree ${tree} is deeper than ${MAX_TREE_DEPTH} or goes in a circle`);
    const key = `${tree}:${id}`;
    const entry = this.#entries.get(key) ?? refuseNode(node, `tree ${tree} has no node ${id}`);
    if (entry.mode === 'LEAF') return { leaf: this.#leaves.get(key) ?? new Array<number>(this.#scores).fill(0) };
    const [aboveIsYes, inclusive] = modes[entry.mode] ?? refuseNode(node, `mode ${entry.mode} of tree ${tree} is not compiled`);
    if ((this.#inclusive ??= inclusive) !== inclusive) refuseNode(node, 'it mixes splits with and without equality');
    const { feature, threshold } = entry;
    if (!Number.isInteger(feature) || feature < 0 || feature >= this.#features)
      refuseNode(node, `a split is on feature ${feature}`);
    if (!Number.isFinite(threshold)) refuseNode(node, `a threshold of tree ${tree} is not finite`);
    const [below, above] = aboveIsYes ? [entry.no, entry.yes] : [entry.yes, entry.no];
    return { feature, threshold, below: this.#build(tree, below, depth + 1), above: this.#build(tree, above, depth + 1) };
  }
}

/** What the two operators call their lists of leaves. */
const leafLists = {
  TreeEnsembleRegressor: { ids: 'target_ids', nodes: 'target_nodeids', trees: 'target_treeids', weights: 'target_weights' },
  TreeEnsembleClassifier: { ids: 'class_ids', nodes: 'class_nodeids', trees: 'class_treeids', weights: 'class_weights' },
} as const;

const transforms: Readonly<Record<string, SourceOutput['holds']>> = { NONE: 'scores', LOGISTIC: 'sigmoid', SOFTMAX: 'softmax' };

function isEnsemble(op: string): op is keyof typeof leafLists {
  return Object.hasOwn(leafLists, op);
}

function leavesOf(node: OnnxNode, names: (typeof leafLists)[keyof typeof leafLists]): LeafLists {
  const [ids, nodes, trees, weights] = [names.ids, names.nodes, names.trees, names.weights].map((name) =>
    numbersAttribute(node, name),
  );
  if (new Set([ids!.length, nodes!.length, trees!.length, weights!.length]).size !== 1)
    refuseNode(node, 'its lists of leaves differ in length');
  return { ids: ids!, nodes: nodes!, trees: trees!, weights: weights! };
}

/** What each output of the file holds; nodes behind the ensemble pass on what they read. */
function outputsOf({ nodes: [node, ...rest], outputs }: OnnxModel, holds: SourceOutput['holds']): SourceOutput[] {
  const classifier = node!.op === 'TreeEnsembleClassifier';
  const known = new Map(node!.outputs.map((name, i) => [name, classifier && i === 0 ? 'label' : holds] as const));
  for (const after of rest) {
    if (after.op !== 'Identity' && after.op !== 'Cast') refuseNode(after, 'nothing may follow an ensemble');
    const read = known.get(after.inputs[0] ?? '') ?? refuseNode(after, 'it must read the ensemble');
    for (const name of after.outputs) known.set(name, read);
  }
  return outputs.map(({ name }) => ({ name, holds: known.get(name) ?? refuseNode(node!, `the output ${name} is not its own`) }));
}

/**
 * The model when its first node is an ensemble, else null. What follows the ensemble may only rename its outputs.
 * @throws `STUN_MODEL_OPERATOR`
 */
export function ensembleOf(model: OnnxModel, inputName: string, features: number): FloatModel | null {
  const [node] = model.nodes;
  if (node === undefined || !isEnsemble(node.op)) return null;
  if (node.inputs[0] !== inputName) refuseNode(node, 'it must read the model’s input');
  const classifier = node.op === 'TreeEnsembleClassifier';
  const aggregate = textAttribute(node, 'aggregate_function', 'SUM');
  if (aggregate !== 'SUM' && (classifier || aggregate !== 'AVERAGE'))
    refuseNode(node, 'only sums and averages of leaves are compiled');
  const transform = textAttribute(node, 'post_transform', 'NONE');
  const holds = transforms[transform] ?? refuseNode(node, `post_transform ${transform} is not compiled`);
  const outputs = outputsOf(model, holds);
  const leaves = leavesOf(node, leafLists[node.op]);
  const { ids, nodes, trees, weights } = leaves;
  const scores = ids.reduce((most, id) => Math.max(most, id), 0) + 1;
  if (scores > MAX_SCORES) refuseNode(node, `it has ${scores} scores, at most ${MAX_SCORES} are compiled`);
  if (scores === 1 && holds === 'softmax') refuseNode(node, 'of one score a softmax is always the same');
  const reader = new Reader(node, features, scores);
  const share = aggregate === 'AVERAGE' ? 1 / new Set(trees).size : 1;
  for (const [i, id] of ids.entries()) reader.addLeaf(trees[i]!, nodes[i]!, id, share * weights[i]!);
  const base = numbersAttribute(node, 'base_values');
  const biases = base.length === 0 ? new Array<number>(scores).fill(0) : base;
  if (biases.length !== scores) refuseNode(node, `${biases.length} base values for ${scores} scores`);
  const built = reader.trees();
  const reading = !classifier && holds === 'scores' ? 'values' : scores === 1 ? 'binary' : 'classes';
  return {
    inputName,
    features,
    inputShape: [features],
    layers: [{ kind: 'ensemble', trees: built, biases, inclusive: reader.inclusive }],
    reading,
    classLabels: classifier ? treeClassLabels(node, leaves, scores, holds === 'sigmoid') : numberedLabels(reading, scores),
    outputs,
  };
}
