/**
 * Which option goes with which source of evidence. An option that nothing would look at is refused: a command that ends well says that all
 * it was told to hold the evidence against was held against it.
 */
import { StunError } from '#protocol/errors/stun-error.ts';

const fetching = ['fetch', 'bundle', 'saveBundle', 'cache'];

/** What each source may come with. Options that are in no list, as the time and the policy, go with every source. */
const companions = {
  quote: ['collateral', 'root', 'pccs', ...fetching],
  report: ['vek', 'ask', 'ark', 'crl', 'root', 'kds', ...fetching],
  gpu: ['chain', 'ocsp', 'rim', 'nonce', 'ocspAt', 'rimAt', 'root', ...fetching],
  evidence: ['keysetDigest', 'root', 'pccs', 'kds', ...fetching],
  case: ['ocspAt', 'rimAt', 'root'],
  // A result may be held against the bytes that it should be about.
  ear: ['jwks', 'issuer', 'keysetDigest', 'quote', 'report', 'gpu', 'evidence'],
  nras: ['jwks', 'issuer', 'nonce'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A way in which evidence is named. */
export type EvidenceWay = keyof typeof companions;

const ways = Object.keys(companions) as readonly EvidenceWay[];
const isBound = (option: string): boolean => Object.hasOwn(companions, option) || ways.some((way) => goesWith(option, way));

function goesWith(option: string, way: EvidenceWay): boolean {
  const list: readonly string[] = companions[way];
  return option === way || list.includes(option);
}

/** An option as it is typed. */
function flag(option: string): string {
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function strayOption(option: string, way: EvidenceWay): StunError {
  const others = ways.filter((other) => other !== option && goesWith(option, other)).map(flag);
  const where = others.length === 0 ? 'is a source of its own' : `goes with ${others.join(', ')}`;
  return new StunError('STUN_INPUT', `${flag(option)} ${where} and not with ${flag(way)}, which would not look at it`);
}

/**
 * The source that options name. With `--ear` another may be named too, as what the result must be about.
 * @param options - options by name, in camel case; absent or undefined when not given
 * @throws `STUN_INPUT` when they name none or several, and for an option that does not go with it
 */
export function evidenceWayOf(options: object): EvidenceWay {
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined || !isBound(name) ? [] : [name]));
  const named = ways.filter((way) => given.includes(way));
  const way = named.includes('ear') ? 'ear' : named[0];
  if (way === undefined)
    throw new StunError(
      'STUN_INPUT',
      'name the evidence: --quote with --collateral, --report with --vek, --ask and --ark, --gpu with --chain, --evidence, --case, --ear or --nras',
    );
  const stray = given.find((option) => !goesWith(option, way));
  if (stray !== undefined) throw strayOption(stray, way);
  if (way === 'ear' && named.length > 2)
    throw new StunError(
      'STUN_INPUT',
      `a result is about one thing: name one of ${named
        .filter((other) => other !== 'ear')
        .map(flag)
        .join(', ')}`,
    );
  return way;
}
