/**
 * The attacker's witness calculator: the circuit's own source with every assertion taken out and, at each place where the source
 * computes a constrained value, an input that is added to it. It has exactly the signals of the circuit, so its witnesses can
 * be laid over any compilation of the circuit by name.
 */
import { collectSources, flatten } from '#circuits/build/source.ts';

/** Inputs that the attacker's calculator has on top of the circuit's; all 0 in an honest run. */
export const TAMPER = {
  /** LaneStart: added to the hinted inverse, and to the chosen head. */
  tamperStart: 2,
  /** Added to count. */
  tamperCount: 1,
  /** Per job: signer, head after, meta, leaf; what comes in as head before, active and price; its leaf in the tree of receipts. */
  tamperJob: 8,
  /** Added to the five fields of the leaf, and to what the path starts from. */
  tamperLeaf: 6,
  /** Added to the fields of the order id but its salt. */
  tamperOrder: 5,
  /** Added to the fields of the lane's genesis. */
  tamperLane: 3,
  /** Added to the key that the signer is made of. */
  tamperSigner: 2,
  /** Added to the six fields of the statement. */
  tamperStatement: 6,
  /** Demand signature: added to u and v of the key, and to the slopes of its double and quadruple. */
  tamperKey: 4,
  /** Per published pair: hinted inverse, isPaid, published input, published output. */
  tamperPair: 4,
  /** 1: the challenge of the demand or the statement signature is decomposed as h + r, when that has 254 bits. */
  tamperAlias: 2,
} as const;

/** A quotient to which something is added. */
const FORGED_QUOTIENT = `
template ForgedQuotient() {
    signal input numerator;
    signal input denominator;
    signal input tamper;
    signal output out;
    out <-- numerator / denominator + tamper;
}
`;

/** A decomposition of in, or of in + r, into the same number of bits: both sum to in modulo r. */
const ALIAS_BITS = `
template AliasBits(n) {
    signal input in;
    signal input alias;
    signal output out[n];
    var modulusLessOne = -1;
    var carry = 0;
    for (var i = 0; i < n; i++) {
        // r is odd: its lowest bit is 1, the others are those of r - 1.
        var sum = ((in >> i) & 1) + (i == 0 ? 1 : (modulusLessOne >> i) & 1) + carry;
        out[i] <-- alias == 1 ? sum & 1 : (in >> i) & 1;
        carry = sum >> 1;
    }
}
`;

function replaceOnce(text: string, find: string, by: string): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`expected once in the source, found ${parts.length - 1} times: ${find}`);
  return parts.join(by);
}

/** [place in the source, what stands there instead]. */
const EDITS: readonly (readonly [string, string])[] = [
  ['template LaneStart() {', 'template LaneStart() {\n    signal input tamper[2];'],
  ['signal inverse <-- laneOld != 0 ? 1 / laneOld : 0;', 'signal inverse <-- (laneOld != 0 ? 1 / laneOld : 0) + tamper[0];'],
  ['head <== laneOld + isFresh * (genesis.out - laneOld);', 'head <-- laneOld + isFresh * (genesis.out - laneOld) + tamper[1];'],
  ['template Job() {', 'template Job() {\n    signal input tamper[8];'],
  [
    'headAfter <== headBefore + active * (demand.out - headBefore);',
    'headAfter <-- headBefore + active * (demand.out - headBefore) + tamper[1];',
  ],
  ['signal meta <== status', 'signal meta <-- tamper[2] + status'],
  ['leaf <== active * receipt.out;', 'leaf <-- active * receipt.out + tamper[3];'],
  ['template PointDouble() {', `${FORGED_QUOTIENT}\ntemplate PointDouble() {\n    signal input tamper;`],
  [
    'component slope = Quotient();\n    slope.numerator <== 3',
    'component slope = ForgedQuotient();\n    slope.tamper <== tamper;\n    slope.numerator <== 3',
  ],
  ['template KeyQuadruple() {', 'template KeyQuadruple() {\n    signal input tamper[4];'],
  ['component u = Quotient();', 'component u = ForgedQuotient();\n    u.tamper <== tamper[0];'],
  ['component v = Quotient();', 'component v = ForgedQuotient();\n    v.tamper <== tamper[1];'],
  ['double.p <== point;', 'double.p <== point;\n    double.tamper <== tamper[2];'],
  ['quadruple.p <== double.out;', 'quadruple.p <== double.out;\n    quadruple.tamper <== tamper[3];'],
  [
    'template SignatureCheck() {',
    `${ALIAS_BITS}\ntemplate SignatureCheck() {\n    signal input tamperKey[4];\n    signal input tamperAlias;`,
  ],
  [
    'component challengeBits = Num2Bits(254);',
    'component challengeBits = AliasBits(254);\n    challengeBits.alias <== tamperAlias;',
  ],
  ['quadruple.key <== key;', 'quadruple.key <== key;\n    quadruple.tamper <== tamperKey;'],
  ['template PublishedPair() {', 'template PublishedPair() {\n    signal input tamper[4];'],
  ['signal inverse <-- price != 0 ? 1 / price : 0;', 'signal inverse <-- (price != 0 ? 1 / price : 0) + tamper[0];'],
  ['signal isPaid <== price * inverse;', 'signal isPaid <-- price * inverse + tamper[1];'],
  ['publishedInput <== isPaid * inputCommitment;', 'publishedInput <-- isPaid * inputCommitment + tamper[2];'],
  ['publishedOutput <== isPaid * outputCommitment;', 'publishedOutput <-- isPaid * outputCommitment + tamper[3];'],
  ['pair[i].price <== price[i];', 'pair[i].price <== price[i];\n        pair[i].tamper <== tamperPair[i];'],
  [
    'template Settlement(N, nPublished) {',
    `template Settlement(N, nPublished) {
    signal input tamperPair[nPublished][4];
    signal input tamperStart[2];
    signal input tamperCount[1];
    signal input tamperJob[N][8];
    signal input tamperLeaf[6];
    signal input tamperOrder[5];
    signal input tamperLane[3];
    signal input tamperSigner[2];
    signal input tamperStatement[6];
    signal input tamperKey[4];
    signal input tamperAlias[2];`,
  ],
  ...(['domain', 'demandKey[0]', 'demandKey[1]', 'modelId', 'policyId'] as const).map(
    (value, i) => [`order.inputs[${i}] <== ${value};`, `order.inputs[${i}] <-- ${value} + tamperOrder[${i}];`] as const,
  ),
  ['start.orderId <== orderId;', 'start.orderId <-- orderId + tamperLane[0];\n    start.tamper <== tamperStart;'],
  ['start.provider <== provider;', 'start.provider <-- provider + tamperLane[1];'],
  ['start.laneIndex <== laneIndex;', 'start.laneIndex <-- laneIndex + tamperLane[2];'],
  ['signer.inputs[0] <== receiptKey[0];', 'signer.inputs[0] <-- receiptKey[0] + tamperSigner[0];'],
  ['signer.inputs[1] <== receiptKey[1];', 'signer.inputs[1] <-- receiptKey[1] + tamperSigner[1];'],
  ['signal count <== countSum;', 'signal count <-- countSum + tamperCount[0];'],
  ['job[i].active <== active[i];', 'job[i].active <-- active[i] + tamperJob[i][5];\n        job[i].tamper <== tamperJob[i];'],
  ['job[i].headBefore <== head[i];', 'job[i].headBefore <-- head[i] + tamperJob[i][4];'],
  ['job[i].price <== price[i];', 'job[i].price <-- price[i] + tamperJob[i][6];'],
  ['receipts.leaves[i] <== job[i].leaf;', 'receipts.leaves[i] <-- job[i].leaf + tamperJob[i][7];'],
  ['job[i].signerId <== signer.out;', 'job[i].signerId <-- signer.out + tamperJob[i][0];'],
  [
    'demandSignature.key <== demandKey;',
    'demandSignature.key <== demandKey;\n    demandSignature.tamperKey <== tamperKey;\n    demandSignature.tamperAlias <== tamperAlias[0];',
  ],
  ...(['signer.out', 'policyId', 'provider', 'hardwareIdHash', 'expiresAt'] as const).map(
    (value, i) => [`leaf.inputs[${i}] <== ${value};`, `leaf.inputs[${i}] <-- ${value} + tamperLeaf[${i}];`] as const,
  ),
  ['path.leaf <== leaf.out;', 'path.leaf <-- leaf.out + tamperLeaf[5];'],
  ['statement.inputs[0] <== start.head;', 'statement.inputs[0] <-- start.head + tamperStatement[0];'],
  ['statement.inputs[1] <== laneNew;', 'statement.inputs[1] <-- laneNew + tamperStatement[1];'],
  ['statement.inputs[2] <== modelId;', 'statement.inputs[2] <-- modelId + tamperStatement[2];'],
  ['statement.inputs[3] <== total;', 'statement.inputs[3] <-- total + tamperStatement[3];'],
  ['statement.inputs[4] <== count;', 'statement.inputs[4] <-- count + tamperStatement[4];'],
  ['statement.inputs[5] <== receiptsRoot;', 'statement.inputs[5] <-- receiptsRoot + tamperStatement[5];'],
  [
    'statementSignature.key <== receiptKey;',
    'statementSignature.key <== receiptKey;\n    statementSignature.tamperKey <== [0, 0, 0, 0];\n    statementSignature.tamperAlias <== tamperAlias[1];',
  ],
];

/** Source of the attacker's calculator for a circuit, flattened. */
export async function attackerSource(mainPath: string): Promise<string> {
  let text = flatten(await collectSources(mainPath))
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '');
  const assertions = text.match(/^[^;{}\n]*===[^;\n]*;/gm)?.length ?? 0;
  if (assertions < 30) throw new Error(`expected the circuit's assertions to be found, got ${assertions}`);
  text = text.replaceAll(/^[^;{}\n]*===[^;\n]*;/gm, '');
  if (text.includes('===')) throw new Error('an assertion was not taken out');
  for (const [find, by] of EDITS) text = replaceOnce(text, find, by);
  return text;
}

/** The circuit's source, flattened, unchanged in meaning. */
export async function honestSource(mainPath: string): Promise<string> {
  return flatten(await collectSources(mainPath));
}
