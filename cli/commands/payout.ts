/** `stun payout …`: how a provider collects what the escrow credited, and who may settle for it. docs/provider.md. */
import type { StunContracts } from '#chain/deployment.ts';
import { lowerAddress, type MinedTransaction } from '#chain/contract-access.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { deploymentOf } from '../settings.ts';
import { needed, parseAddress, showAmount } from '../values.ts';
import { connectSigner } from './settle.ts';
import { tokenOf } from './token.ts';

/** Options of all of them. */
export interface PayoutOptions {
  readonly token: string;
  readonly account?: string;
  readonly revoke?: boolean;
}

interface PayoutCall {
  readonly escrow: StunContracts['escrow'];
  readonly token: string;
  /** The address that `address` and `operator` take; undefined for the others. */
  readonly address: string | undefined;
  readonly revoke: boolean;
}

/** A command about the sender's account in the escrow that shows the account afterwards. */
function payoutCommand(work: (call: PayoutCall) => Promise<MinedTransaction | undefined>, sends = true) {
  return async ({ args, options, context }: Invocation<PayoutOptions>): Promise<CommandResult> => {
    const address = args[0] === undefined ? undefined : parseAddress(args[0], 'the address');
    const asked = options.account === undefined ? undefined : parseAddress(options.account, '--account');
    const { contracts, signerAddress, close } = await connectSigner(options, await deploymentOf(options), sends);
    try {
      const { escrow } = contracts;
      const token = tokenOf(options.token, contracts);
      const account = lowerAddress(signerAddress ?? asked);
      const before = await escrow.credit(token, account);
      if (sends) context.progress('sending, and waiting until it is mined');
      const sent = await work({ escrow, token, address, revoke: options.revoke === true });
      const credit = sent === undefined ? before : await escrow.credit(token, account);
      const payoutAddress = await escrow.payoutAddress(account);
      const document = {
        account,
        token,
        credit: credit.toString(),
        creditBefore: before.toString(),
        payoutAddress,
        transactionHash: sent?.transactionHash ?? null,
      };
      const text = [
        `credit    ${showAmount(credit)}${credit === before ? '' : `, before ${showAmount(before)}`}`,
        `paid to   ${payoutAddress}`,
        ...(sent === undefined ? [] : [`mined in  ${sent.transactionHash}`]),
      ].join('\n');
      return { document, text, exitCode: 0 };
    } finally {
      close();
    }
  };
}

/** Shows what an account can withdraw, and where it would go. */
export const payoutShow = payoutCommand(() => Promise.resolve(undefined), false);

/** Pays the sender's credit to its payout address. */
export const payoutWithdraw = payoutCommand(({ escrow, token }) => escrow.withdraw(token));

/** Names where the sender's withdrawals go. */
export const payoutAddress = payoutCommand(({ escrow, address }) => escrow.setPayoutAddress(needed(address, 'an address')));

/** Lets an address settle for the sender, or no longer. */
export const payoutOperator = payoutCommand(({ escrow, address, revoke }) =>
  escrow.setOperator(needed(address, 'an address'), !revoke),
);
