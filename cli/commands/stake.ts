/** `stun stake …`: what a provider of challengeable orders puts up. docs/provider.md. */
import type { StunContracts } from '#chain/deployment.ts';
import { lowerAddress } from '#chain/contract-access.ts';
import { StunError } from '#protocol/index.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { deploymentOf } from '../settings.ts';
import { needed, parseAddress, parseAmount, showAmount, showTime } from '../values.ts';
import { connectSigner } from './settle.ts';
import { tokenOf } from './token.ts';

/** Options of all of them. */
export interface StakeOptions {
  readonly token: string;
  readonly provider?: string;
}

interface StakeCall {
  readonly contracts: StunContracts;
  readonly token: string;
  readonly amount: bigint | undefined;
  /** Whose key signs; undefined for what sends nothing. */
  readonly sender: string | undefined;
}

/** A command that sends something about the sender's stake and shows the stake afterwards. */
function stakeCommand(work: (call: StakeCall) => Promise<{ readonly transactionHash: string } | undefined>, sends = true) {
  return async ({ args, options, context }: Invocation<StakeOptions>): Promise<CommandResult> => {
    const { contracts, signerAddress, close } = await connectSigner(options, await deploymentOf(options), sends);
    try {
      const token = tokenOf(options.token, contracts);
      const provider = options.provider === undefined ? signerAddress : parseAddress(options.provider, '--provider');
      if (provider === undefined) throw new StunError('STUN_INPUT', '--provider is needed: whose stake?');
      const amount = args[0] === undefined ? undefined : parseAmount(args[0], 'the amount');
      if (sends) context.progress('sending, and waiting until it is mined');
      const sent = await work({ contracts, token, amount, sender: signerAddress });
      const stake = await contracts.court.stake(token, lowerAddress(provider));
      const { total, reserved, unbonding, unbondsAtUnix } = stake;
      return {
        document: {
          provider: lowerAddress(provider),
          token,
          total: total.toString(),
          reserved: reserved.toString(),
          unbonding: unbonding.toString(),
          unbondsAtUnix,
          transactionHash: sent?.transactionHash ?? null,
        },
        text: [
          `stake ${showAmount(total)}, of it ${showAmount(reserved)} bound to batches that are not final`,
          ...(unbonding === 0n ? [] : [`asked back: ${showAmount(unbonding)}, to be had from ${showTime(unbondsAtUnix)}`]),
          ...(sent === undefined ? [] : [`mined in ${sent.transactionHash}`]),
        ].join('\n'),
        exitCode: 0,
      };
    } finally {
      close();
    }
  };
}

/** Adds to the sender's stake. */
export const stakeDeposit = stakeCommand(async ({ contracts, token, amount, sender }) => {
  const added = needed(amount, 'an amount');
  if (sender !== undefined) await contracts.court.allow(token, sender, added);
  return contracts.court.depositStake(token, added);
});

/** Asks an amount back, in place of what was asked before. */
export const stakeUnbond = stakeCommand(({ contracts, token, amount }) =>
  contracts.court.requestUnbond(token, needed(amount, 'an amount')),
);

/** Takes what was asked back and is due, and pays out what the court owes the sender. */
export const stakeWithdraw = stakeCommand(async ({ contracts, token, sender }) => {
  const { court } = contracts;
  if (sender !== undefined && (await court.stake(token, sender)).unbonding > 0n) await court.unbond(token);
  return court.withdraw(token);
});

/** Shows a stake. */
export const stakeShow = stakeCommand(() => Promise.resolve(undefined), false);
