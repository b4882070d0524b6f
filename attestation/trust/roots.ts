/**
 * Trust roots, pinned by public key.
 *
 * Only vendors' roots stand here. The root of simulated hardware is made by `attestation/simulated/` and has to be added by
 * the caller, in so many words: `[...defaultTrustRoots, simulatedRoot]`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { JsonValue } from '../json/capped-json.ts';
import { isList, parseCappedJson } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';

/** Product lines of AMD whose roots are known. Each has a root of its own. */
export const snpProducts = ['Milan', 'Genoa', 'Turin'] as const;
export type SnpProduct = (typeof snpProducts)[number];

/** A root of AMD's chains: the ARK of one product line. */
export interface AmdTrustRoot {
  readonly vendor: 'amd';
  /** For people; nothing is decided by it. */
  readonly name: string;
  /** The only product line that this root speaks for. */
  readonly product: SnpProduct;
  /** SHA-256 of the ARK's SubjectPublicKeyInfo (DER), 32 bytes as `0x` hex. */
  readonly publicKeySha256: string;
  /** Whether hardware under this root is simulated. Decides the tag of everything that is verified with it. */
  readonly simulated: boolean;
}

/** A root that Intel's chains may end in. */
export interface IntelTrustRoot {
  readonly vendor: 'intel';
  /** For people; nothing is decided by it. */
  readonly name: string;
  /** SEC1 uncompressed P-256 point, 65 bytes as `0x04…` hex. */
  readonly publicKey: string;
  /** Whether hardware under this root is simulated. Decides the tag of everything that is verified with it. */
  readonly simulated: boolean;
}

/** What a chain of NVIDIA's certifies: the key of a device, or the key that signs reference values (RIM documents). */
export type NvidiaPurpose = 'device' | 'rim';

/** A root of NVIDIA's chains. Each purpose has a root of its own, and none speaks for the other. */
export interface NvidiaTrustRoot {
  readonly vendor: 'nvidia';
  /** For people; nothing is decided by it. */
  readonly name: string;
  readonly purpose: NvidiaPurpose;
  /** SEC1 uncompressed P-384 point, 97 bytes as `0x04…` hex. */
  readonly publicKey: string;
  /** Whether what stands under this root is simulated. Decides the tag of everything that is verified with it. */
  readonly simulated: boolean;
}

/** A root that chains may end in. */
export type TrustRoot = IntelTrustRoot | AmdTrustRoot | NvidiaTrustRoot;

/**
 * Intel SGX Root CA, the root of TDX and SGX.
 * Source: the root certificate of https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.pem,
 * serial 22650cd65a9d3489f383b49552bf501b392706ac, valid 2018-05-21 to 2049-12-31.
 */
export const intelSgxRoot: IntelTrustRoot = Object.freeze({
  vendor: 'intel',
  name: 'Intel SGX Root CA',
  publicKey:
    '0x040ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394',
  simulated: false,
});

function ark(product: SnpProduct, publicKeySha256: string): AmdTrustRoot {
  return Object.freeze({ vendor: 'amd', name: `AMD ARK-${product}`, product, publicKeySha256, simulated: false });
}

/**
 * The AMD Root Keys. Source: the certificates that https://kdsintf.amd.com/vcek/v1/{Milan,Genoa,Turin}/cert_chain ends in; their
 * own SHA-256 are 69d063b4…540bcd (Milan), 4c6598d1…3db2f1 (Genoa) and 1f084161…3dd3f6a (Turin).
 */
export const amdRoots: readonly AmdTrustRoot[] = Object.freeze([
  ark('Milan', '0x9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9'),
  ark('Genoa', '0x429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831'),
  ark('Turin', '0x4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08'),
]);

/**
 * NVIDIA Device Identity CA, the root of GPUs and NVSwitches. Source: the last certificate of every chain that a device gives with its
 * report, serial 2d3670b1ca100411c1fec0e82a065b54, SHA-256 102bf659…7b48, valid from 2021-11-05 without an end.
 */
export const nvidiaDeviceRoot: NvidiaTrustRoot = Object.freeze({
  vendor: 'nvidia',
  name: 'NVIDIA Device Identity CA',
  purpose: 'device',
  publicKey:
    '0x040e4c14a33bf8a5626658db4129607e4cbf4519c4412716f4d0d917c4978005bdeabeaefd57bc66082d718a4f8b6052e1516ee8a7c422b84de857071bb58fd395bea0cfa1c63ee7c80d6bd63901d91cbbd187d3857dc16b5cceaf238ff8c27dbd',
  simulated: false,
});

/**
 * NVIDIA CoRIM signing Root CA, the root of reference values. Source: the last certificate in the signature of every RIM document of
 * https://rim.attestation.nvidia.com, serial 45dae3a00e5037bddf875375ecb5e270, SHA-256 12977b51…f5d1, valid 2023-03-16 to 2053-03-08.
 */
export const nvidiaRimRoot: NvidiaTrustRoot = Object.freeze({
  vendor: 'nvidia',
  name: 'NVIDIA CoRIM signing Root CA',
  purpose: 'rim',
  publicKey:
    '0x04b840b28bdbcd33e230da57d4cf2065747030682d4717b4c2829d7641c1325139b74da831c2be3c779e7e2b65489566080e4ecd94021075c57f15fedeb862c8f906ae8fddc7b12238597dbdf0fa56e78453833f6d0be43af3871a47f057584799',
  simulated: false,
});

/** The roots of NVIDIA. */
export const nvidiaRoots: readonly NvidiaTrustRoot[] = Object.freeze([nvidiaDeviceRoot, nvidiaRimRoot]);

/** The default trust store: vendors only. */
export const defaultTrustRoots: readonly TrustRoot[] = Object.freeze([intelSgxRoot, ...amdRoots, ...nvidiaRoots]);

/** Most roots of one text: simulated machines of each vendor, their GPUs and reference values, and room. */
const maxNamedRoots = 16;

/**
 * Reads the roots that a deployment names, from JSON: one, or a list, since simulated GPUs have another than the machine beside them: `{ "vendor": "intel", "name": "…", "publicKey": "0x04…", "simulated": true }` or
 * `{ "vendor": "amd", "name": "…", "product": "Genoa", "publicKeySha256": "0x…", "simulated": true }` or
 * `{ "vendor": "nvidia", "name": "…", "purpose": "rim", "publicKey": "0x04…", "simulated": true }`.
 * Vendors' roots are pinned in code, so only simulated roots can be named.
 * @throws `STUN_JSON_FORMAT` | `STUN_CONFIG`
 */
export function parseTrustRoots(text: string): readonly TrustRoot[] {
  const value = parseCappedJson(text);
  if (!isList(value)) return Object.freeze([readTrustRoot(value)]);
  if (value.length === 0 || value.length > maxNamedRoots) refuse(`expected 1 to ${maxNamedRoots} roots, got ${value.length}`);
  return Object.freeze(value.map(readTrustRoot));
}

function readTrustRoot(value: JsonValue): TrustRoot {
  const fields = new FieldReader(value, 'root', 'STUN_CONFIG');
  const vendor = fields.string('vendor');
  const read = rootReaders.get(vendor) ?? refuse(`root.vendor must be one of ${[...rootReaders.keys()].join(', ')}`);
  const root = read(fields);
  if (!fields.boolean('simulated')) refuse('root.simulated must be true: roots of real hardware are pinned in code');
  return Object.freeze(root);
}

const rootReaders: ReadonlyMap<string, (fields: FieldReader) => TrustRoot> = new Map<string, (fields: FieldReader) => TrustRoot>([
  ['intel', readIntelRoot],
  ['amd', readAmdRoot],
  ['nvidia', readNvidiaRoot],
]);

function refuse(reason: string): never {
  throw new StunError('STUN_CONFIG', reason);
}

function readIntelRoot(fields: FieldReader): IntelTrustRoot {
  fields.only('vendor', 'name', 'publicKey', 'simulated');
  const publicKey = fields.string('publicKey');
  if (!/^0x04[0-9a-f]{128}$/.test(publicKey)) refuse('root.publicKey must be 0x04 and 128 lower-case hex digits');
  if (publicKey === intelSgxRoot.publicKey) refuse('root.publicKey is the root of real hardware');
  return { vendor: 'intel', name: fields.string('name').slice(0, 80), publicKey, simulated: true };
}

function readAmdRoot(fields: FieldReader): AmdTrustRoot {
  fields.only('vendor', 'name', 'product', 'publicKeySha256', 'simulated');
  const name = fields.string('product');
  const product = snpProducts.find((known) => known === name) ?? refuse(`root.product must be one of ${snpProducts.join(', ')}`);
  const publicKeySha256 = fields.string('publicKeySha256');
  if (!/^0x[0-9a-f]{64}$/.test(publicKeySha256)) refuse('root.publicKeySha256 must be 0x and 64 lower-case hex digits');
  if (amdRoots.some((root) => root.publicKeySha256 === publicKeySha256))
    refuse('root.publicKeySha256 is the root of real hardware');
  return { vendor: 'amd', name: fields.string('name').slice(0, 80), product, publicKeySha256, simulated: true };
}

function readNvidiaRoot(fields: FieldReader): NvidiaTrustRoot {
  fields.only('vendor', 'name', 'purpose', 'publicKey', 'simulated');
  const purpose = fields.string('purpose');
  if (purpose !== 'device' && purpose !== 'rim') refuse('root.purpose must be device or rim');
  const publicKey = fields.string('publicKey');
  if (!/^0x04[0-9a-f]{192}$/.test(publicKey)) refuse('root.publicKey must be 0x04 and 192 lower-case hex digits');
  if (nvidiaRoots.some((root) => root.publicKey === publicKey)) refuse('root.publicKey is the root of real hardware');
  return { vendor: 'nvidia', name: fields.string('name').slice(0, 80), purpose, publicKey, simulated: true };
}
