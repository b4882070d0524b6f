/** Writes the DER that the simulator needs. The strict reader of `../asn1/` reads all of it. Spec: ITU-T X.690 (02/2021), section 10. */
import { concatBytes, fromHex, utf8 } from '#protocol/bytes.ts';
import { derTag } from '../asn1/der.ts';

/** One element: identifier octet, shortest length, content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : length < 0x10000 ? [0x82, length >> 8, length & 0xff] : null;
  if (head === null) return concatBytes(Uint8Array.of(tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff), content);
  return concatBytes(Uint8Array.of(tag, ...head), content);
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(derTag.sequence, ...parts);
}

/** A non-negative INTEGER from big-endian bytes. */
export function derInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? Uint8Array.of(0) : bytes.subarray(first);
  return der(derTag.integer, (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), digits);
}

export function derSmallInteger(value: number): Uint8Array {
  return derInteger(Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff));
}

export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) groups.unshift((high & 0x7f) | 0x80);
    return groups;
  });
  return der(derTag.oid, Uint8Array.from(bytes));
}

export function derOctets(...parts: readonly Uint8Array[]): Uint8Array {
  return der(derTag.octetString, ...parts);
}

/** A BIT STRING of whole bytes. */
export function derBits(bytes: Uint8Array): Uint8Array {
  return der(derTag.bitString, Uint8Array.of(0), bytes);
}

/** A named-bit list from bit numbers 0 to 7. */
export function derNamedBits(bits: readonly number[]): Uint8Array {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return byte === 0 ? der(derTag.bitString, Uint8Array.of(0)) : der(derTag.bitString, Uint8Array.of(7 - Math.max(...bits), byte));
}

export function derBoolean(value: boolean): Uint8Array {
  return der(derTag.boolean, Uint8Array.of(value ? 0xff : 0));
}

/** UTCTime before 2050, GeneralizedTime from then on. */
export function derTime(unix: number): Uint8Array {
  const text = new Date(unix * 1000)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  return Number(text.slice(0, 4)) < 2050 ? der(derTag.utcTime, utf8(text.slice(2))) : der(derTag.generalizedTime, utf8(text));
}

/** A Name of common name, organisation and country. */
export function derName(commonName: string, organisation: string): Uint8Array {
  const part = (id: string, tag: number, text: string): Uint8Array =>
    der(derTag.set, derSequence(derOid(id), der(tag, utf8(text))));
  return derSequence(
    part('2.5.4.3', derTag.utf8String, commonName),
    part('2.5.4.10', derTag.utf8String, organisation),
    part('2.5.4.6', derTag.printableString, 'ZZ'),
  );
}

/** An ECDSA-Sig-Value from raw r||s of equal length. */
export function derSignature(raw: Uint8Array): Uint8Array {
  return derSequence(derInteger(raw.subarray(0, raw.length / 2)), derInteger(raw.subarray(raw.length / 2)));
}

/** Bytes of hex without `0x`. */
export function hexBytes(hex: string): Uint8Array {
  return fromHex(`0x${hex}`);
}
