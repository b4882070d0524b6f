/**
 * Mistakes that could be made in the contracts that hold money, one place each, and the property of PROPERTIES.md that must notice. An invariant
 * that none of them breaks proves nothing. `npm run mutate -- contracts` plants them.
 */

/** One mistake. */
export interface PlantedDefect {
  /** The contract's name: `contracts/NAME.sol`. */
  readonly contract: string;
  /** Found exactly once in the file: statements when it ends with a semicolon, an expression otherwise. */
  readonly from: string;
  /** What stands there with the mistake. */
  readonly to: string;
  /** Properties of which at least one must be refuted, each the id of a fuzzed test. */
  readonly breaks: readonly string[];
}

const stake: readonly Omit<PlantedDefect, 'contract'>[] = [
  // A slash that costs nothing, and one that leaves the stake bound.
  { from: 'stake.total -= amount;', to: '', breaks: ['J4'] },
  { from: '        stake.reserved -= amount;', to: '', breaks: ['J4'] },
  // No reservation, one that is never given up, one without cover, one of stake that leaves.
  { from: '_stakes[token][provider].reserved += amount;', to: '', breaks: ['J4'] },
  { from: '_stakes[token][provider].reserved -= amount;', to: '', breaks: ['J4'] },
  { from: 'available < amount', to: 'false', breaks: ['J3', 'J4'] },
  {
    from: 'return stake.total - stake.reserved - stake.unbonding;',
    to: 'return stake.total - stake.reserved;',
    breaks: ['J3', 'J4'],
  },
  // Stake asked back while a batch holds it, early by a second, late by a second, twice, for nobody.
  { from: 'amount > most', to: 'amount > stake.total', breaks: ['J3', 'J4'] },
  { from: 'block.timestamp < stake.unbondsAt', to: 'block.timestamp + 1 < stake.unbondsAt', breaks: ['J3'] },
  { from: 'block.timestamp < stake.unbondsAt', to: 'block.timestamp <= stake.unbondsAt', breaks: ['J3'] },
  { from: 'stake.unbonding = 0;', to: '', breaks: ['J4'] },
  { from: '_credit(token, msg.sender, amount);', to: '', breaks: ['J2'] },
];

const court: readonly Omit<PlantedDefect, 'contract'>[] = [
  // A bond that is kept, that goes to whoever answered, that was never taken, that stays when a batch ends.
  { from: '_credit(terms.token, batch.provider, terms.bond);', to: '', breaks: ['J2'] },
  {
    from: '_credit(terms.token, batch.provider, terms.bond);',
    to: '_credit(terms.token, msg.sender, terms.bond);',
    breaks: ['J2'],
  },
  { from: '_pull(terms.token, terms.bond);', to: '', breaks: ['J1'] },
  { from: '_credit(terms.token, entry.challenger, terms.bond);', to: '', breaks: ['J2'] },
  { from: '_free(terms.token, batch.provider, terms.slash);', to: '', breaks: ['J4'] },
  // A slash that goes to one side, or is kept.
  { from: '_credit(token, entry.challenger, slash / 2);', to: '_credit(token, entry.challenger, slash);', breaks: ['J2'] },
  { from: '_credit(token, terms.funder, slash - slash / 2);', to: '', breaks: ['J2'] },
  { from: '_credit(token, terms.funder, slash - slash / 2);', to: '_credit(token, terms.funder, slash / 2);', breaks: ['J2'] },
  // A batch that ends twice, a challenge that is answered twice.
  { from: 'batch.state = BatchState.refunded;', to: '', breaks: ['J2', 'J3'] },
  { from: 'batch.state = BatchState.paid;', to: '', breaks: ['J2', 'J3'] },
  { from: 'entry.state = ChallengeState.answered;', to: '', breaks: ['J2', 'J3'] },
  // Every clock, off by a second, and deaf to freezes.
  { from: 'block.timestamp > closesAt', to: 'block.timestamp >= closesAt', breaks: ['J3'] },
  { from: 'block.timestamp > closesAt', to: 'block.timestamp > closesAt + 1', breaks: ['J3'] },
  { from: 'block.timestamp <= closesAt', to: 'block.timestamp < closesAt', breaks: ['J3'] },
  { from: 'block.timestamp > until', to: 'block.timestamp >= until', breaks: ['J3'] },
  { from: 'block.timestamp > until', to: 'block.timestamp > until + 1', breaks: ['J3'] },
  { from: 'block.timestamp <= until', to: 'block.timestamp < until', breaks: ['J3'] },
  {
    from: 'uint256(batch.settledAt) + terms.challengeWindowSeconds + frozen',
    to: 'uint256(batch.settledAt) + terms.challengeWindowSeconds',
    breaks: ['J3'],
  },
  {
    from: 'uint256(entry.challengedAt) + terms.answerPeriodSeconds + frozen',
    to: 'uint256(entry.challengedAt) + terms.answerPeriodSeconds',
    breaks: ['J3'],
  },
  // Challenges that are lost count, anybody who challenges, answers that are not verified, a tombstone that nobody sees.
  { from: 'batch.openChallenges != 0', to: 'false', breaks: ['J3'] },
  { from: 'batch.openChallenges += 1;', to: '', breaks: ['J2', 'J3'] },
  { from: 'batch.openChallenges -= 1;', to: '', breaks: ['J3', 'J5'] },
  { from: 'msg.sender != terms.funder && msg.sender != terms.challenger', to: 'false', breaks: ['J3'] },
  { from: 'pairs[index] | pairs[PAIRS + index] == 0', to: 'false', breaks: ['J3'] },
  {
    from: '!verifier.verifyProof(models.keyOf(terms.publicModelId), proof, input, output)',
    to: 'false',
    breaks: ['J3'],
  },
  { from: '!verifier.verifyProof(key, answers[paid], input, output)', to: 'false', breaks: ['J2', 'J3'] },
  { from: '!router.isTombstoned(terms.inferenceFamily)', to: 'true', breaks: ['J3', 'J5'] },
];

const escrow: readonly Omit<PlantedDefect, 'contract'>[] = [
  // Fees that are not taken, not credited, rounded the other way.
  { from: 'toProvider ? (amount * _orders[orderKey].feeBps) / BPS : 0', to: '0', breaks: ['J2'] },
  { from: '_credit(token, feeAccount, fee);', to: '', breaks: ['I2'] },
  { from: '(paid * batch.order.feeBps) / BPS', to: '(paid * batch.order.feeBps + BPS - 1) / BPS', breaks: ['S4'] },
  // Money to the operator, from a budget that stays, beyond the budget.
  { from: '_credit(token, provider, credited);', to: '_credit(token, msg.sender, credited);', breaks: ['I4'] },
  { from: 'budget.remaining - uint128(paid)', to: 'budget.remaining', breaks: ['I2'] },
  { from: 'owed < budget.remaining ? owed : budget.remaining', to: 'owed', breaks: ['S4'] },
  // Refunds twice, a second early, during a freeze.
  { from: '_budgets[orderKey][provider].remaining = 0;', to: '', breaks: ['I2'] },
  { from: 'block.timestamp <= until', to: 'block.timestamp < until', breaks: ['J3'] },
  { from: '_checkNotFrozen(family);', to: '', breaks: ['J3'] },
  { from: 'if (order.assurance == PROVEN) _checkNotFrozen(court.inferenceFamilyOf(orderKey));', to: '', breaks: ['J3'] },
  {
    from: 'if (order.assurance == PROVEN) frozen += router.frozenSecondsSince(court.inferenceFamilyOf(orderKey), since);',
    to: '',
    breaks: ['J3'],
  },
  // Lanes that stay or move from anywhere, strangers who settle, signals that are aliases.
  { from: '_lanes[orderKey][provider][laneIndex] = laneNew;', to: '', breaks: ['I3'] },
  { from: 'state != laneOld', to: 'false', breaks: ['S5'] },
  { from: 'laneNew == 0 || laneNew == laneOld', to: 'false', breaks: ['I3'] },
  { from: 'msg.sender != provider && !isOperator[provider][msg.sender]', to: 'false', breaks: ['S3'] },
  { from: 'signal >= SettlementSignals.R', to: 'false', breaks: ['S1'] },
];

const others: readonly PlantedDefect[] = [
  // A credit that is paid again, one that replaces what was there, money that is not taken in.
  { contract: 'PulledPayments', from: '_credits[token][msg.sender] = 0;', to: '', breaks: ['I2'] },
  {
    contract: 'PulledPayments',
    from: 'if (amount != 0) _credits[token][account] += amount;',
    to: '_credits[token][account] = amount;',
    breaks: ['I2'],
  },
  {
    contract: 'PulledPayments',
    from: 'IERC20(token).safeTransferFrom(msg.sender, address(this), amount);',
    to: 'return;',
    breaks: ['I1'],
  },
  // A top-up that is lost, a deadline that closing moves later.
  { contract: 'EscrowOrders', from: 'budget.remaining += amount;', to: '', breaks: ['I2'] },
  {
    contract: 'EscrowOrders',
    from: 'if (block.timestamp < order.deadline) order.deadline = uint40(block.timestamp);',
    to: 'order.deadline = uint40(block.timestamp);',
    breaks: ['J3'],
  },
  // Frozen time counted from before the question, and beyond the present.
  {
    contract: 'VerifierRouter',
    from: 'interval.startsAt > since ? interval.startsAt : since',
    to: 'interval.startsAt',
    breaks: ['R5'],
  },
  {
    contract: 'VerifierRouter',
    from: 'interval.endsAt < block.timestamp ? interval.endsAt : block.timestamp',
    to: 'interval.endsAt',
    breaks: ['R5'],
  },
];

/** All of them. */
export const plantedDefects: readonly PlantedDefect[] = [
  ...stake.map((defect) => ({ contract: 'ProviderStake', ...defect })),
  ...court.map((defect) => ({ contract: 'ChallengeCourt', ...defect })),
  ...escrow.map((defect) => ({ contract: 'OrderEscrow', ...defect })),
  ...others,
];
