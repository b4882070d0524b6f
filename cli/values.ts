/** Values as they are typed on a command line. All parsers throw `STUN_INPUT` naming the option. */
import { StunError } from '#protocol/errors/stun-error.ts';

function refuse(what: string, expected: string): never {
  throw new StunError('STUN_INPUT', `${what} must be ${expected}`);
}

/** An amount of token units: digits, or a decimal number followed by `ether` (10^18 units). */
export function parseAmount(text: string, what: string): bigint {
  if (/^\d{1,38}$/.test(text)) return BigInt(text);
  const match = /^(\d{1,20})(?:\.(\d{1,18}))?ether$/.exec(text);
  if (match?.[1] === undefined) return refuse(what, 'token units in digits, or like 0.5ether');
  return BigInt(match[1]) * 10n ** 18n + BigInt((match[2] ?? '').padEnd(18, '0'));
}

/** An argument that the command cannot do without. @param what - like `an amount` */
export function needed<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new StunError('STUN_INPUT', `${what} was expected`);
  return value;
}

/** A whole number. */
export function parseWhole(text: string, what: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) refuse(what, `a whole number in ${least}..${most}`);
  return value;
}

/** An integer that may be negative. @throws `STUN_INPUT` */
export function parseInteger(text: string, what: string, least: number, most: number): number {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) refuse(what, `a whole number in ${least}..${most}`);
  return value;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };

/** A duration in seconds: `90s`, `30m`, `24h`, `7d`, or bare seconds. */
export function parseDuration(text: string, what: string): number {
  const match = /^(\d{1,9})([smhd]?)$/.exec(text);
  if (match?.[1] === undefined) return refuse(what, 'a duration like 90s, 30m, 24h or 7d');
  return Number(match[1]) * (UNIT_SECONDS[match[2] === '' ? 's' : (match[2] ?? 's')] ?? 1);
}

/** A time: unix seconds, or a duration from now on. */
export function parseTime(text: string, what: string, nowUnix: number): number {
  return /^\d{10,12}$/.test(text) ? Number(text) : nowUnix + parseDuration(text, what);
}

/** An address, in lower case. */
export function parseAddress(text: string, what: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) refuse(what, 'an address of 0x and 40 hex digits');
  return text.toLowerCase();
}

/** 32 bytes of hex, in lower case. */
export function parseWord(text: string, what: string): `0x${string}` {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) refuse(what, '0x and 64 hex digits');
  return text.toLowerCase() as `0x${string}`;
}

/** `PROVIDER=AMOUNT`. */
export function parseBudget(text: string): { provider: string; amount: bigint } {
  const [provider, amount, ...rest] = text.split('=');
  if (provider === undefined || amount === undefined || rest.length > 0) return refuse('--budget', 'PROVIDER=AMOUNT');
  return { provider: parseAddress(provider, '--budget'), amount: parseAmount(amount, '--budget') };
}

/** Token units for people: with the unit, and in ether when that is shorter. */
export function showAmount(amount: bigint): string {
  const whole = amount / 10n ** 18n;
  const rest = (amount % 10n ** 18n).toString().padStart(18, '0').replace(/0+$/, '');
  return `${whole}${rest === '' ? '' : `.${rest}`} ether`;
}

/** Unix seconds for people. */
export function showTime(unix: number): string {
  return new Date(unix * 1000).toISOString().replace('.000Z', 'Z');
}
