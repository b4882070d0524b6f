/** The token that a command is about. */
import type { StunContracts } from '#chain/deployment.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { parseAddress } from '../values.ts';

/** The token that `--token` names: `native`, `stun` or an address. @throws `STUN_INPUT` */
export function tokenOf(text: string, { deployment }: StunContracts): string {
  if (text === 'native') return NATIVE_TOKEN;
  return text === 'stun' ? deployment.token : parseAddress(text, '--token');
}
