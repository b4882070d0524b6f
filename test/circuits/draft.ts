/**
 * Segments for forging: every intermediate value can be replaced, and whatever depends on it is computed again, outside the
 * protocol's own functions, which would refuse. Without replacements the result is an honest segment.
 */
import { BASE8, SUBGROUP_ORDER, toJubPoint, type JubPoint } from '#protocol/babyjub.ts';
import { eddsaPublicKey, signEddsa, type EddsaKeyPair, type EddsaSignature } from '#protocol/eddsa.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { poseidon } from '#protocol/poseidon.ts';
import { TAG } from '#protocol/tags.ts';
import type { CircuitPlaces, CircuitSignals, JobInput } from '#circuits/settlement-input.ts';
import { reduce } from '#circuits/build/field-math.ts';
import { SeededRandom } from './fixtures.ts';

/** Poseidon over a tag and any integers, taken modulo r. */
export function hash(tag: bigint, ...inputs: readonly bigint[]): bigint {
  return poseidon(tag, inputs.map(reduce));
}

/** A job with its activity, which honest segments derive from its place. */
export type DraftJob = { -readonly [K in keyof JobInput]: bigint } & { active: bigint };

/** What a segment starts from. */
export interface Draft {
  domain: bigint;
  demandPair: EddsaKeyPair;
  receiptPair: EddsaKeyPair;
  modelId: bigint;
  policyId: bigint;
  salt: bigint;
  hardwareIdHash: bigint;
  expiresAt: bigint;
  provider: bigint;
  validAt: bigint;
  laneIndex: bigint;
  laneOld: bigint;
  /** Places 0.. of the circuit; the rest is padding. */
  jobs: DraftJob[];
  /** Place of the leaf and its siblings, lowest first. */
  leafIndex: number;
  siblings: bigint[];
}

/** Values that replace what follows from the draft. */
export interface Replacements {
  readonly orderId?: bigint;
  /** Fields that the order id is made of, by place: domain, key x and y, model, policy. */
  readonly order?: Readonly<Record<number, bigint>>;
  /** Fields that the genesis is made of, by place: order, provider, lane. */
  readonly lane?: Readonly<Record<number, bigint>>;
  /** The signer that demands and leaf name. */
  readonly signerId?: bigint;
  readonly payee?: bigint;
  readonly fromHead?: bigint;
  /** The signer that the demands name. */
  readonly demandSigner?: bigint;
  /** Heads that jobs continue, by place. */
  readonly headsBefore?: Readonly<Record<number, bigint>>;
  /** What is counted of jobs, by place. */
  readonly active?: Readonly<Record<number, bigint>>;
  /** What is summed of jobs, by place. */
  readonly prices?: Readonly<Record<number, bigint>>;
  readonly metas?: Readonly<Record<number, bigint>>;
  readonly leaves?: Readonly<Record<number, bigint>>;
  readonly laneNew?: bigint;
  readonly total?: bigint;
  readonly count?: bigint;
  readonly receiptsRoot?: bigint;
  /** Fields that the leaf is made of, by place: signer, policy, provider, hardware, expiry. */
  readonly leaf?: Readonly<Record<number, bigint>>;
  /** What the path starts from. */
  readonly pathLeaf?: bigint;
  readonly enclaveRoot?: bigint;
  readonly pathBits?: Readonly<Record<number, bigint>>;
  readonly pathSiblings?: Readonly<Record<number, bigint>>;
  readonly demandMessage?: bigint;
  readonly demandSignature?: EddsaSignature;
  /** Fields of the statement, by place: from, to, model, total, count, receipts root. */
  readonly statement?: Readonly<Record<number, bigint>>;
  readonly statementSignature?: EddsaSignature;
  /** Commitments that are published, by place. */
  readonly publishedInput?: Readonly<Record<number, bigint>>;
  readonly publishedOutput?: Readonly<Record<number, bigint>>;
}

/** The signals with the values that no signal carries. */
export interface Assembled {
  readonly signals: CircuitSignals;
  readonly signerId: bigint;
  readonly genesis: bigint;
  readonly statementMessage: bigint;
  /** Demand heads, D_from first. */
  readonly heads: readonly bigint[];
  readonly leaf: bigint;
  readonly receipts: readonly bigint[];
}

const PADDING: DraftJob = {
  active: 0n,
  inputCommitment: 0n,
  maxPrice: 0n,
  outputCommitment: 0n,
  price: 0n,
  deliveryDigest: 0n,
  status: 3n,
  startedAt: 0n,
  finishedAt: 0n,
};

/** An honest draft of two jobs. */
export function drawDraft(seed: string): Draft {
  const random = new SeededRandom(seed);
  const job = (): DraftJob => ({
    active: 1n,
    inputCommitment: random.field(),
    maxPrice: 1000n + random.below(1000n),
    outputCommitment: random.field(),
    price: 1n + random.below(1000n),
    deliveryDigest: random.field(),
    status: 1n,
    startedAt: 1_790_000_000n + random.below(100n),
    finishedAt: 1_790_000_100n + random.below(100n),
  });
  return {
    domain: random.below(1n << 248n),
    demandPair: random.keyPair(),
    receiptPair: random.keyPair(),
    modelId: random.field(),
    policyId: random.field(),
    salt: random.field(),
    hardwareIdHash: random.field(),
    expiresAt: 1_790_086_400n,
    provider: random.below(1n << 160n),
    validAt: 1_790_000_000n,
    laneIndex: random.below(1n << 31n) + 1n,
    laneOld: random.field(),
    jobs: [job(), job()],
    leafIndex: Number(random.below(1024n)),
    siblings: Array.from({ length: 10 }, () => random.field()),
  };
}

/** Root over receipts of a full tree: two levels of 16 children. */
function rootOver(leaves: readonly bigint[]): bigint {
  const nodeOf = (place: number): bigint =>
    hash(TAG.receiptsNode, ...Array.from({ length: 16 }, (_, i) => leaves[16 * place + i] ?? 0n));
  const empty = nodeOf(16);
  const nodes = Array.from({ length: 16 }, (_, place) => (16 * place < leaves.length ? nodeOf(place) : empty));
  return hash(TAG.receiptsNode, ...nodes);
}

/** A signature that holds for a key of small order, whoever signs and whatever is signed: h times 8·A vanishes. */
export function smallOrderSignature(nonce: bigint): EddsaSignature {
  return { r8: toJubPoint(BASE8.multiply(nonce)), s: nonce % SUBGROUP_ORDER };
}

/** A key pair whose public part is replaced; only for keys that the attacker does not sign with honestly. */
export function pairWith(publicKey: JubPoint): EddsaKeyPair {
  return { secret: 1n, publicKey };
}

/** A signature whose challenge is h + r instead of h: it holds only for who may decompose h in its second form. */
export function aliasedSignature(pair: EddsaKeyPair, message: bigint): EddsaSignature {
  for (let nonce = 1n; ; nonce++) {
    const r8 = toJubPoint(BASE8.multiply(nonce));
    const h = poseidon(TAG.challenge, [r8.x, r8.y, pair.publicKey.x, pair.publicKey.y, message]) + FIELD_ORDER;
    if (h < 1n << 254n) return { r8, s: (nonce + 8n * h * pair.secret) % SUBGROUP_ORDER };
  }
}

/** An honest signature. */
export function signatureOf(pair: EddsaKeyPair, message: bigint): EddsaSignature {
  return signEddsa(pair, message);
}

/** The packed meta of a job. */
export function metaOf(draft: Draft, index: number): bigint {
  const job = draft.jobs[index]!;
  return job.status + (job.startedAt << 8n) + (job.finishedAt << 48n);
}

/** A stranger's key pair. */
export function stranger(): EddsaKeyPair {
  return { secret: 4711n, publicKey: eddsaPublicKey(4711n) };
}

/**
 * Signals of a draft for a circuit of n places, with replacements and everything that depends on them.
 * @param circuit - its places: 2..256, at least as many as the draft's jobs; and its published pairs
 */
export function assemble(draft: Draft, { n, publishedPairs }: CircuitPlaces, replace: Replacements = {}): Assembled {
  const places = Array.from({ length: n }, (_, i) => draft.jobs[i] ?? PADDING);
  const { x: keyX, y: keyY } = draft.demandPair.publicKey;
  const fields = (values: readonly bigint[], other: Readonly<Record<number, bigint>> = {}): bigint[] =>
    values.map((value, i) => other[i] ?? value);
  const opened = fields([draft.domain, keyX, keyY, draft.modelId, draft.policyId, draft.salt], replace.order);
  const orderId = replace.orderId ?? hash(TAG.orderId, ...opened);
  const signerId = replace.signerId ?? hash(TAG.signerId, draft.receiptPair.publicKey.x, draft.receiptPair.publicKey.y);
  const genesis = hash(TAG.laneGenesis, ...fields([orderId, draft.provider, draft.laneIndex], replace.lane));
  const fromHead = replace.fromHead ?? (draft.laneOld === 0n ? genesis : draft.laneOld);

  const heads = [fromHead];
  const receipts: bigint[] = [];
  for (const [i, job] of places.entries()) {
    const before = replace.headsBefore?.[i] ?? heads[i]!;
    const demand = hash(TAG.demand, before, job.inputCommitment, job.maxPrice, replace.demandSigner ?? signerId);
    heads.push(reduce(before + job.active * (demand - before)));
    const meta = replace.metas?.[i] ?? job.status + (job.startedAt << 8n) + (job.finishedAt << 48n);
    receipts.push(hash(TAG.receipt, heads[i + 1]!, job.outputCommitment, job.price, job.deliveryDigest, meta));
  }
  const leaves = places.map((job, i) => replace.leaves?.[i] ?? reduce(job.active * receipts[i]!));
  const receiptsRoot = replace.receiptsRoot ?? rootOver(leaves);
  const laneNew = replace.laneNew ?? heads[n]!;
  const prices = places.map((job, i) => replace.prices?.[i] ?? job.price);
  const active = places.map((job, i) => replace.active?.[i] ?? job.active);
  const sum = (values: readonly bigint[]): bigint => reduce(values.reduce((total, value) => total + value, 0n));
  const total = replace.total === undefined ? sum(prices) : reduce(replace.total);
  const count = replace.count ?? sum(active);

  const leafFields = [signerId, draft.policyId, draft.provider, draft.hardwareIdHash, draft.expiresAt];
  const leaf = hash(TAG.enclaveLeaf, ...fields(leafFields, replace.leaf));
  let root = replace.pathLeaf ?? leaf;
  for (const [height, sibling] of draft.siblings.entries()) {
    const right = ((draft.leafIndex >> height) & 1) === 1;
    root = right ? hash(TAG.enclaveNode, sibling, root) : hash(TAG.enclaveNode, root, sibling);
  }

  const statement = fields([fromHead, laneNew, draft.modelId, total, count, receiptsRoot], replace.statement);
  const statementMessage = hash(TAG.statement, ...statement);
  const demandSignature = replace.demandSignature ?? signEddsa(draft.demandPair, reduce(replace.demandMessage ?? laneNew));
  const statementSignature = replace.statementSignature ?? signEddsa(draft.receiptPair, statementMessage);
  const paid = places.slice(0, publishedPairs);
  const column = (name: keyof DraftJob): bigint[] => places.map((job) => reduce(job[name]));
  const signals: CircuitSignals = {
    enclaveRoot: replace.enclaveRoot ?? root,
    orderId,
    laneOld: draft.laneOld,
    laneNew,
    receiptsRoot,
    payee: reduce(replace.payee ?? draft.provider + (draft.validAt << 160n) + (draft.laneIndex << 200n)),
    total,
    domain: draft.domain,
    demandKey: [keyX, keyY],
    modelId: draft.modelId,
    policyId: draft.policyId,
    salt: draft.salt,
    demandSignatureR8: [demandSignature.r8.x, demandSignature.r8.y],
    demandSignatureS: demandSignature.s,
    receiptKey: [draft.receiptPair.publicKey.x, draft.receiptPair.publicKey.y],
    hardwareIdHash: draft.hardwareIdHash,
    expiresAt: draft.expiresAt,
    pathBits: draft.siblings.map((_, height) => replace.pathBits?.[height] ?? BigInt((draft.leafIndex >> height) & 1)),
    pathSiblings: draft.siblings.map((sibling, height) => replace.pathSiblings?.[height] ?? sibling),
    statementSignatureR8: [statementSignature.r8.x, statementSignature.r8.y],
    statementSignatureS: statementSignature.s,
    provider: reduce(draft.provider),
    validAt: reduce(draft.validAt),
    laneIndex: reduce(draft.laneIndex),
    active: active.map(reduce),
    inputCommitment: column('inputCommitment'),
    maxPrice: column('maxPrice'),
    outputCommitment: column('outputCommitment'),
    price: prices.map(reduce),
    deliveryDigest: column('deliveryDigest'),
    status: column('status'),
    startedAt: column('startedAt'),
    finishedAt: column('finishedAt'),
    publishedInput: paid.map((job, i) => replace.publishedInput?.[i] ?? (job.price === 0n ? 0n : job.inputCommitment)),
    publishedOutput: paid.map((job, i) => replace.publishedOutput?.[i] ?? (job.price === 0n ? 0n : job.outputCommitment)),
  };
  return { signals, signerId, genesis, statementMessage, heads, leaf, receipts };
}
