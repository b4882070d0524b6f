/**
 * Which addresses a webhook may reach. The name is resolved when the request is made and the connection goes to exactly the addresses
 * that were checked, so that a name cannot point elsewhere in between. Redirects are not followed.
 */
import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { StunError } from '#protocol/errors/stun-error.ts';

/** Not public: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates). */
const notPublic = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  notPublic.addSubnet(net, prefix, 'ipv4');
}
/** Global unicast; everything outside it is special. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  notPublic.addSubnet(net, prefix, 'ipv6');
}

/** Whether an address is on the public internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !notPublic.check(address, 'ipv4');
  if (family === 6) return globalUnicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
  return false;
}

function refuse(reason: string): never {
  throw new StunError('STUN_WEBHOOK_URL', reason);
}

/**
 * Checks the text of an address. Where its name leads is checked at each delivery.
 * @param allowPrivate - development only
 * @throws `STUN_WEBHOOK_URL`
 */
export function checkWebhookUrl(text: string, allowPrivate: boolean): URL {
  if (!URL.canParse(text)) refuse('the address is no URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') refuse('the address must not hold credentials');
  if (url.hash !== '') refuse('the address must not have a fragment');
  if (allowPrivate && url.protocol === 'http:') return url;
  if (url.protocol !== 'https:') refuse('the address must be https');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) refuse('the address is not on the public internet');
  return url;
}

/** A resolver for node:http that gives public addresses alone. */
export function publicLookup(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const allowed = allowPrivate ? addresses : addresses.filter(({ address }) => isPublicAddress(address));
      const first = allowed[0];
      // One private address among public ones is refused whole: the name is not trusted then.
      if (first === undefined || allowed.length !== addresses.length) {
        callback(new StunError('STUN_WEBHOOK_URL', 'the name leads to addresses that are not public'), '');
      } else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
