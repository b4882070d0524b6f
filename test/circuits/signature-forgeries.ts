/** Forgeries of the signatures inside the settlement circuit: as forgeries.ts, for circuits/lib/signature.circom and below. */
import { BASE8, SUBGROUP_ORDER, toJubPoint, type JubPoint } from '#protocol/babyjub.ts';
import type { EddsaSignature } from '#protocol/eddsa.ts';
import { poseidon } from '#protocol/poseidon.ts';
import { TAG } from '#protocol/tags.ts';
import { inverse, reduce } from '#circuits/build/field-math.ts';
import { smallOrderPoints } from '#test/unit/protocol/small-order.ts';
import { aliasedSignature, pairWith, signatureOf, smallOrderSignature, stranger, type Assembled, type Draft } from './draft.ts';
import { within, type Forgery } from './forgeries.ts';
import { plus, rootOf, times } from './polynomial-root.ts';

const SIGNATURE = 'main.demandSignature';
/** Coefficient of u² in the Montgomery form. */
const A = 168698n;
const IDENTITY = { x: 0n, y: 1n };

/** A quotient as the witness calculator has it: anything over 0 is 0. */
function quotient(numerator: bigint, denominator: bigint): bigint {
  return reduce(reduce(numerator) * inverse(reduce(denominator)));
}

/** A point in Montgomery form, as the circuit computes it before anything is added. */
function toMontgomery({ x, y }: JubPoint): { u: bigint; v: bigint } {
  const u = quotient(1n + y, 1n - y);
  return { u, v: quotient(u, x) };
}

/** A secret's signature over a message, with the challenge of somebody else's key. */
function signatureInTheNameOf(key: JubPoint, secret: bigint, message: bigint): EddsaSignature {
  const nonce = 4242n;
  const r8 = toJubPoint(BASE8.multiply(nonce));
  const h = poseidon(TAG.challenge, [r8.x, r8.y, key.x, key.y, message]);
  return { r8, s: (nonce + 8n * h * secret) % SUBGROUP_ORDER };
}

/** The slopes of double and quadruple that lead from one point to another, on the curve or not; undefined when none do. */
function slopesTo(from: JubPoint, to: JubPoint): [bigint, bigint] | undefined {
  const { u, v } = toMontgomery(from);
  const target = toMontgomery(to);
  // The double as polynomials of its slope: u1 = slope² - A - 2u, v1 = slope·(u - u1) - v. The second slope is
  // (v of the target + v1) / (u1 - u of the target), and its square is u of the target + A + 2·u1.
  const u1 = [reduce(-A - 2n * u), 0n, 1n];
  const v1 = plus(times([0n, 1n], plus([u], u1, -1n)), [v], -1n);
  const rise = plus(v1, [target.v]);
  const run = plus(u1, [target.u], -1n);
  const square = plus([reduce(target.u + A)], u1, 2n);
  const slope = rootOf(plus(times(rise, rise), times(times(run, run), square), -1n));
  if (slope === undefined) return undefined;
  const doubleU = reduce(slope * slope - A - 2n * u);
  const doubleV = reduce(slope * (u - doubleU) - v);
  return [slope, quotient(target.v + doubleV, doubleU - target.u)];
}

/** Tamper of the slopes of a key's double and quadruple so that the quadruple is that of one's own key. */
function slopesToOwnKey(key: JubPoint): { secret: bigint; tamperKey: bigint[] } {
  for (let secret = 5n; ; secret++) {
    const slopes = slopesTo(key, toJubPoint(BASE8.multiply(4n * secret)));
    if (slopes === undefined) continue;
    const { u, v } = toMontgomery(key);
    const tangent = (u: bigint, v: bigint): bigint => quotient(3n * u * u + 2n * A * u + 1n, 2n * v);
    const u1 = reduce(slopes[0] ** 2n - A - 2n * u);
    const v1 = reduce(slopes[0] * (u - u1) - v);
    return { secret, tamperKey: [0n, 0n, reduce(slopes[0] - tangent(u, v)), reduce(slopes[1] - tangent(u1, v1))] };
  }
}

/** Signs for a key with another secret, by forged slopes. */
function bySlopes(gain: string, change: (draft: Draft) => void): Forgery {
  return {
    labels: ['2.slope'],
    gain,
    draft: change,
    replace: ({ demandPair: { publicKey } }, honest) => ({
      demandSignature: signatureInTheNameOf(publicKey, slopesToOwnKey(publicKey).secret, laneNewOf(honest)),
    }),
    tamper: ({ demandPair: { publicKey } }) => ({ tamperKey: slopesToOwnKey(publicKey).tamperKey }),
    rows: (signals) =>
      within(`${SIGNATURE}.quadruple.double.slope`)(signals) || within(`${SIGNATURE}.quadruple.quadruple.slope`)(signals),
  };
}

/** Signs for a key with the stranger's, whose point is taken for the key's image. */
function byMap(gain: string, change: (draft: Draft) => void): Forgery {
  return {
    labels: ['2.key-map'],
    gain,
    draft: change,
    replace: ({ demandPair: { publicKey } }, honest) => ({
      demandSignature: signatureInTheNameOf(publicKey, stranger().secret, laneNewOf(honest)),
    }),
    tamper: ({ demandPair: { publicKey } }) => {
      const own = toMontgomery(stranger().publicKey);
      return { tamperKey: [reduce(own.u - toMontgomery(publicKey).u), reduce(own.v - quotient(own.u, publicKey.x)), 0n, 0n] };
    },
    rows: (signals) => within(`${SIGNATURE}.quadruple.u`)(signals) || within(`${SIGNATURE}.quadruple.v`)(signals),
  };
}

function laneNewOf({ signals }: Assembled): bigint {
  return signals['laneNew'] as bigint;
}

/** The two rows that say what R8 is. */
function commitmentRows(of: string): (signals: ReadonlySet<string>) => boolean {
  return (signals) => [...signals].some((name) => name.startsWith(`${of}.r8[`)) && within(`${of}.commitment`)(signals);
}

const [, order8, order4, , order2] = smallOrderPoints();

export const signatureForgeries: readonly Forgery[] = [
  byMap("signs with a key of one's own for the customer's", () => {}),
  byMap('signs for the identity as demand key', (draft) => {
    draft.demandPair = pairWith(IDENTITY);
  }),
  bySlopes("reaches a key of one's own from the customer's", () => {}),
  bySlopes('signs for a demand key of order 2', (draft) => {
    draft.demandPair = pairWith(order2!);
  }),
  bySlopes('signs for a demand key of order 4', (draft) => {
    draft.demandPair = pairWith(order4!);
  }),
  {
    labels: ['2.key-order'],
    gain: 'signs for a demand key of order 8, without any secret',
    draft: (draft) => {
      draft.demandPair = pairWith(order8!);
    },
    replace: () => ({ demandSignature: smallOrderSignature(77n) }),
    rows: within(`${SIGNATURE}.quadruple.inverse`),
  },
  {
    labels: ['2.key-curve'],
    gain: 'shows a demand key off the curve, once R8 is not held by the equation',
    draft: (draft) => {
      draft.demandPair = pairWith({ x: 3n, y: 5n });
    },
    replace: () => ({ demandSignature: smallOrderSignature(78n) }),
    rows: (signals) => signals.has(`${SIGNATURE}.quadruple.vSquare`) && signals.has(`${SIGNATURE}.quadruple.uSquare`),
    besides: commitmentRows(SIGNATURE),
  },
  {
    labels: ['2.r8'],
    gain: 'shows any R8, off the curve too',
    replace: () => ({ demandSignature: { r8: { x: 3n, y: 4n }, s: 5n } }),
    rows: commitmentRows(SIGNATURE),
  },
  {
    labels: ['2.response-range', '7.signature'],
    gain: 'has a second form of a signature, with S + l',
    replace: ({ demandPair }, honest) => {
      let signature = signatureOf(demandPair, laneNewOf(honest));
      while (signature.s + SUBGROUP_ORDER >= 1n << 251n) signature = signatureOf(demandPair, laneNewOf(honest));
      return { demandSignature: { ...signature, s: signature.s + SUBGROUP_ORDER } };
    },
    rows: within(`${SIGNATURE}.responseBelow`),
  },
  {
    labels: ['2.challenge-range', '13.signature'],
    gain: 'has a second challenge for a signature, h + r',
    replace: (draft, honest) => ({ statementSignature: aliasedSignature(draft.receiptPair, honest.statementMessage) }),
    tamper: () => ({ tamperAlias: [0n, 1n] }),
    rows: within('main.statementSignature.challengeBelow'),
  },
  {
    labels: ['7.signature'],
    gain: 'settles jobs the customer never demanded',
    replace: (_draft, honest) => ({ demandSignature: signatureOf(stranger(), laneNewOf(honest)) }),
    rows: within(SIGNATURE),
  },
  {
    labels: ['13.signature'],
    gain: 'settles work that no enclave signed',
    replace: (_draft, honest) => ({ statementSignature: signatureOf(stranger(), honest.statementMessage) }),
    rows: within('main.statementSignature'),
  },
];
