/** Fees of EIP-1559 transactions: a first offer, and the least raise that nodes take as a replacement. */

/** Wei per gas. */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** What the chain asks at the moment, wei per gas. */
export interface FeeMarket {
  readonly baseFeePerGas: bigint;
  readonly priorityFee: bigint;
}

/** Nodes want 10 % more on both fees before they replace a transaction; an eighth is above that whatever the rounding. */
function raised(fee: bigint): bigint {
  return fee + (fee + 7n) / 8n;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/**
 * The offer for a new transaction: twice the base fee, so that it stays good while the base fee rises for six full blocks.
 * @param capPerGas - most that may ever be paid per gas
 * @returns undefined while the chain asks more than the cap
 */
export function firstOffer(market: FeeMarket, capPerGas: bigint): Fees | undefined {
  const least = market.baseFeePerGas + market.priorityFee;
  if (least > capPerGas) return undefined;
  const generous = 2n * market.baseFeePerGas + market.priorityFee;
  return { maxFeePerGas: generous < capPerGas ? generous : capPerGas, maxPriorityFeePerGas: market.priorityFee };
}

/**
 * The offer that replaces an earlier one at the same nonce.
 * @returns undefined when the cap leaves no room for a raise
 */
export function raisedOffer(previous: Fees, market: FeeMarket, capPerGas: bigint): Fees | undefined {
  const maxPriorityFeePerGas = larger(raised(previous.maxPriorityFeePerGas), market.priorityFee);
  const wanted = larger(raised(previous.maxFeePerGas), 2n * market.baseFeePerGas + maxPriorityFeePerGas);
  const floor = larger(raised(previous.maxFeePerGas), maxPriorityFeePerGas);
  if (floor > capPerGas) return undefined;
  return { maxFeePerGas: wanted < capPerGas ? wanted : capPerGas, maxPriorityFeePerGas };
}
