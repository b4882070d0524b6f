/**
 * Forgeries of the settlement circuit: one per constraint label of circuits/lib/. Each changes one thing, computes all that
 * depends on it again, and names the rows that alone stand against it.
 */
import { TAG } from '#protocol/tags.ts';
import { inverse, reduce } from '#circuits/build/field-math.ts';
import type { CircuitPlaces, CircuitSignals } from '#circuits/settlement-input.ts';
import { TAMPER } from './attacker-source.ts';
import { assemble, hash, metaOf, type Assembled, type Draft, type Replacements } from './draft.ts';

/** Whether a row belongs to a constraint, judged by the signals in it. */
export type RowGroup = (signals: ReadonlySet<string>) => boolean;

/** What an attacker does. */
export interface Attack {
  /** Changes of the draft, before anything is computed from it. */
  readonly draft?: (draft: Draft) => void;
  /** Values that replace computed ones; gets the honest assembly of the changed draft. */
  readonly replace?: (draft: Draft, honest: Assembled) => Replacements;
  /** Additions inside the witness calculator; gets draft and honest assembly. */
  readonly tamper?: (draft: Draft, honest: Assembled, n: number) => CircuitSignals;
}

/** One forgery. */
export interface Forgery extends Attack {
  /** Constraint labels that stand against it. */
  readonly labels: readonly string[];
  /** What the attacker would gain, as a sentence's end. */
  readonly gain: string;
  /** Rows of the attacked constraint; at least one of them is violated. */
  readonly rows: RowGroup;
  /** Rows of another constraint that this attack cannot help violating. */
  readonly besides?: RowGroup;
}

/** Rows with exactly these signals. */
export function exactly(...names: readonly string[]): RowGroup {
  return (signals) => signals.size === names.length && names.every((name) => signals.has(name));
}

/** Rows that touch any signal below a component. */
export function within(component: string): RowGroup {
  return (signals) => [...signals].some((name) => name.startsWith(`${component}.`));
}

const M = 'main';
/** Signals of the second job, which most forgeries attack. */
const JOB = 'main.job[1]';
const P40 = 1n << 40n;
const P64 = 1n << 64n;

/** Tamper input of one place of one job. */
export function jobTamper(n: number, job: number, place: number, value: bigint): CircuitSignals {
  return tamperAt('tamperJob', n * TAMPER.tamperJob, job * TAMPER.tamperJob + place, value);
}

/** Tamper input with one value that is not 0. */
export function tamperAt(name: keyof typeof TAMPER, length: number, index: number, value: bigint): CircuitSignals {
  return { [name]: Array.from({ length }, (_, i) => (i === index ? reduce(value) : 0n)) };
}

/** A statement whose field differs from the segment's. */
function misstated(label: string, index: number, gain: string, source: string): Forgery {
  return {
    labels: [label],
    gain,
    replace: (_draft, honest) => ({ statement: { [index]: statementField(honest, index) + 1n } }),
    tamper: () => tamperAt('tamperStatement', 6, index, 1n),
    rows: exactly(source, `main.statement.inputs[${index}]`),
  };
}

function statementField(honest: Assembled, index: number): bigint {
  const { laneNew, modelId, total, receiptsRoot } = honest.signals as Record<string, bigint>;
  return [honest.heads[0]!, laneNew!, modelId!, total!, 2n, receiptsRoot!][index]!;
}

/** A range check that a value just above the range meets. */
function outOfRange(label: string, gain: string, component: string, attack: Attack): Forgery {
  return { labels: [label], gain, rows: within(component), ...attack };
}

export const forgeries: readonly Forgery[] = [
  {
    labels: ['1.order'],
    gain: "spends another customer's order with a key of one's own",
    replace: () => ({ orderId: 123456789n }),
    rows: exactly(`${M}.orderId`, `${M}.order.out`),
  },
  outOfRange('3.provider-range', 'moves a bit of validAt into the provider', `${M}.packedPayee.providerRange`, {
    draft: (draft) => {
      draft.provider += 1n << 160n;
    },
  }),
  outOfRange('3.valid-at-range', 'is valid before the epoch and packs as another lane', `${M}.packedPayee.validAtRange`, {
    draft: (draft) => {
      draft.validAt = -1n;
      draft.expiresAt = P40 - 2n;
    },
  }),
  outOfRange('3.lane-index-range', 'uses a lane index of 33 bits', `${M}.packedPayee.laneIndexRange`, {
    draft: (draft) => {
      draft.laneIndex = 1n << 32n;
    },
  }),
  outOfRange('3.expires-at-range', 'shows a leaf that expires later than 2^40', `${M}.expiresAtRange`, {
    draft: (draft) => {
      draft.expiresAt = P40;
      draft.validAt = P40 - 1n;
    },
  }),
  {
    labels: ['3.payee'],
    gain: "is paid for another provider's work",
    replace: (draft) => ({ payee: draft.provider + 1n + (draft.validAt << 160n) + (draft.laneIndex << 200n) }),
    rows: exactly(`${M}.payee`, `${M}.packedPayee.packed`),
  },
  {
    labels: ['4.is-zero', '4.hint'],
    gain: 'starts a settled lane from its genesis and is paid twice',
    replace: (_draft, honest) => ({ fromHead: honest.genesis }),
    tamper: (draft) => tamperAt('tamperStart', 2, 0, -inverse(draft.laneOld)),
    rows: exactly(`${M}.start.isFresh`, `${M}.start.laneOld`),
  },
  {
    labels: ['4.select'],
    gain: 'starts from a head of its own choice',
    replace: (_draft, honest) => ({ fromHead: honest.heads[0]! + 9n }),
    tamper: () => tamperAt('tamperStart', 2, 1, 9n),
    rows: exactly(`${M}.start.head`, `${M}.start.laneOld`, `${M}.start.isFresh`, `${M}.start.genesis.out`),
  },
  {
    labels: ['5.first'],
    gain: 'settles a segment without a job',
    draft: (draft) => {
      for (const job of draft.jobs) Object.assign(job, { active: 0n, price: 0n, maxPrice: 0n });
    },
    rows: exactly(`${M}.active[0]`),
  },
  {
    labels: ['5.boolean'],
    gain: 'counts one job twice',
    draft: (draft) => {
      draft.jobs[1]!.active = 2n;
      draft.jobs[1]!.price = 0n;
      draft.jobs[1]!.maxPrice = 0n;
    },
    rows: exactly(`${M}.active[0]`, `${M}.active[1]`),
  },
  {
    labels: ['5.prefix'],
    gain: 'leaves a hole among the jobs',
    draft: (draft) => {
      draft.jobs.splice(1, 0, { ...draft.jobs[1]!, active: 0n, price: 0n, maxPrice: 0n });
    },
    rows: exactly(`${M}.active[1]`, `${M}.active[2]`),
  },
  {
    labels: ['5.count'],
    gain: 'shows a statement over more jobs than it opens',
    replace: () => ({ count: 3n }),
    tamper: () => tamperAt('tamperCount', 1, 0, 1n),
    rows: (signals) => signals.has(`${M}.count`) && signals.has(`${M}.active[0]`),
  },
  {
    labels: ['6.select'],
    gain: 'moves the head by something the customer did not demand',
    replace: (_draft, honest) => ({ laneNew: honest.heads[2]! + 5n }),
    tamper: (_draft, _honest, n) => jobTamper(n, n - 1, 1, 5n),
    rows: (signals) =>
      [...signals].some((name) => name.endsWith('.headAfter')) && [...signals].some((name) => name.endsWith('.demand.out')),
  },
  {
    labels: ['6.lane-new'],
    gain: 'moves the lane to a head that is not the last',
    replace: () => ({ laneNew: 987654321n }),
    rows: (signals) => signals.has(`${M}.laneNew`) && [...signals].some((name) => name.startsWith(`${M}.head[`)),
  },
  outOfRange('8.max-range', 'settles a limit of more than 64 bits', `${JOB}.headroomRange`, {
    draft: (draft) => {
      draft.jobs[1]!.maxPrice = P64;
      draft.jobs[1]!.price = 1n;
    },
  }),
  outOfRange('8.price-range', 'lowers the total by a negative price', `${JOB}.priceRange`, {
    draft: (draft) => {
      draft.jobs[1]!.price = -1n;
      draft.jobs[1]!.maxPrice = 7n;
    },
  }),
  outOfRange('8.price-limit', 'is paid more than the customer signed for', `${JOB}.headroomRange`, {
    draft: (draft) => {
      draft.jobs[1]!.price = draft.jobs[1]!.maxPrice + 1n;
    },
  }),
  {
    labels: ['8.inactive-price'],
    gain: 'is paid for padding',
    draft: (draft) => {
      Object.assign(draft.jobs[1]!, { active: 0n, price: 5n, maxPrice: 5n });
    },
    rows: exactly(`${JOB}.status`, `${JOB}.active`, `${JOB}.price`),
  },
  {
    labels: ['8.total'],
    gain: 'is paid more than the prices sum to',
    replace: (_draft, honest) => ({ total: (honest.signals['total'] as bigint) + 1n }),
    rows: (signals) => signals.has(`${M}.total`) && signals.has(`${M}.price[0]`),
  },
  ...[0n, 4n].map((status): Forgery => ({
    labels: ['9.status'],
    gain: `settles a job of status ${status}`,
    draft: (draft) => {
      Object.assign(draft.jobs[1]!, { status, price: 0n });
    },
    rows: exactly(`${JOB}.servedOrFailed`, `${JOB}.status`),
  })),
  {
    labels: ['9.unserved-price'],
    gain: 'is paid for a failed job',
    draft: (draft) => {
      draft.jobs[1]!.status = 2n;
    },
    rows: exactly(`${JOB}.status`, `${JOB}.active`, `${JOB}.price`),
  },
  outOfRange('9.started-range', 'packs a start of more than 34 bits', `${JOB}.startedAtRange`, {
    draft: (draft) => {
      draft.jobs[1]!.startedAt = 1n << 34n;
    },
  }),
  outOfRange('9.finished-range', 'packs a finish of more than 34 bits', `${JOB}.finishedAtRange`, {
    draft: (draft) => {
      draft.jobs[1]!.finishedAt = 1n << 34n;
    },
  }),
  {
    labels: ['9.meta'],
    gain: 'opens a receipt of another status',
    replace: (draft) => ({ metas: { 1: metaOf(draft, 1) + 1n } }),
    tamper: (_draft, _honest, n) => jobTamper(n, 1, 2, 1n),
    rows: exactly(`${JOB}.meta`, `${JOB}.status`, `${JOB}.startedAt`, `${JOB}.finishedAt`),
  },
  {
    labels: ['10.signer'],
    gain: 'serves jobs that were sealed to another enclave',
    replace: (_draft, honest) => ({ demandSigner: honest.signerId + 3n }),
    tamper: (_draft, _honest, n) => ({
      tamperJob: Array.from({ length: n * TAMPER.tamperJob }, (_, i) => (i % TAMPER.tamperJob === 0 ? 3n : 0n)),
    }),
    rows: (signals) =>
      signals.size === 2 && signals.has(`${M}.signer.out`) && [...signals].some((name) => name.endsWith('.signerId')),
  },
  {
    labels: ['11.leaf'],
    gain: 'puts a receipt into the tree that was not counted',
    replace: () => ({ leaves: { 2: 31337n } }),
    tamper: (_draft, _honest, n) => jobTamper(n, 2, 3, 31337n),
    rows: exactly(`${M}.job[2].leaf`, `${M}.job[2].active`, `${M}.job[2].receipt.out`),
  },
  {
    labels: ['11.root'],
    gain: 'publishes a root that opens to other receipts',
    replace: () => ({ receiptsRoot: 1n }),
    rows: exactly(`${M}.receiptsRoot`, `${M}.receipts.root`),
  },
  {
    labels: ['12.root'],
    gain: 'uses an enclave that is registered nowhere',
    replace: () => ({ enclaveRoot: 2n }),
    rows: exactly(`${M}.enclaveRoot`, `${M}.path.root`),
  },
  {
    labels: ['12.path-bits'],
    gain: 'reaches a root from a leaf that is not under it',
    draft: (draft) => {
      draft.leafIndex &= ~1;
    },
    replace: (draft, honest) => {
      // The root of another leaf, reached by mixing this leaf and a made-up sibling into that leaf's parent.
      const other = 555n;
      const sibling = draft.siblings[0]!;
      const made = reduce(other + sibling - honest.leaf);
      let root = other;
      for (const [height, next] of draft.siblings.entries()) {
        const right = ((draft.leafIndex >> height) & 1) === 1;
        root = right ? hash(TAG.enclaveNode, next, root) : hash(TAG.enclaveNode, root, next);
      }
      const bit = reduce((other - honest.leaf) * inverse(reduce(made - honest.leaf)));
      return { enclaveRoot: root, pathBits: { 0: bit }, pathSiblings: { 0: made } };
    },
    rows: exactly(`${M}.path.pathBits[0]`),
  },
  {
    labels: ['12.policy'],
    gain: 'uses an enclave of a laxer policy',
    replace: (draft) => ({ leaf: { 1: draft.policyId + 1n } }),
    tamper: () => tamperAt('tamperLeaf', 6, 1, 1n),
    rows: exactly(`${M}.policyId`, `${M}.leaf.inputs[1]`),
  },
  {
    labels: ['12.provider'],
    gain: "is paid for another provider's enclave",
    replace: (draft) => ({ leaf: { 2: draft.provider + 1n } }),
    tamper: () => tamperAt('tamperLeaf', 6, 2, 1n),
    rows: exactly(`${M}.provider`, `${M}.leaf.inputs[2]`),
  },
  ...[0n, 1n].map((late) =>
    outOfRange('12.expiry', `uses an enclave ${late} seconds after its expiry`, `${M}.lifetimeRange`, {
      draft: (draft) => {
        draft.validAt = draft.expiresAt + late;
      },
    }),
  ),
  misstated('13.from', 0, 'shows a statement of another start', `${M}.start.head`),
  misstated('13.to', 1, 'shows a statement of another end', `${M}.laneNew`),
  misstated('13.model', 2, 'is paid for another model', `${M}.modelId`),
  misstated('13.total', 3, 'shows a statement of another total', `${M}.total`),
  misstated('13.count', 4, 'shows a statement of another count', `${M}.count`),
  misstated('13.receipts', 5, 'shows a statement over other receipts', `${M}.receiptsRoot`),
];

/** Signals and tamper inputs of an attack on a draft. */
export function forge(attack: Attack, draft: Draft, circuit: CircuitPlaces): { signals: CircuitSignals; tamper: CircuitSignals } {
  attack.draft?.(draft);
  const honest = assemble(draft, circuit);
  const replaced = attack.replace === undefined ? honest : assemble(draft, circuit, attack.replace(draft, honest));
  return { signals: replaced.signals, tamper: attack.tamper?.(draft, honest, circuit.n) ?? {} };
}
