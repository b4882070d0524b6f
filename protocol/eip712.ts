/**
 * The EIP-712 types of STUN, their hashes, signatures and recovery. docs/protocol.md section 5.
 * Only flat structs of static types and strings are needed, so the encoding is short enough to own; a differential test holds it
 * to ethers' TypedDataEncoder and to the contracts.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bigIntToBytes, bytesToBigInt, concatBytes, fromHex, toHex, utf8, type Hex } from './bytes.ts';
import { StunError } from './errors/stun-error.ts';

/** Field lists in EIP-712 order, as ethers takes them too. */
export const EIP712_TYPES = {
  Receipt: [{ name: 'receipt', type: 'uint256' }],
  EnclaveConsent: [
    { name: 'keysetDigest', type: 'bytes32' },
    { name: 'policyId', type: 'uint256' },
    { name: 'hardwareIdHash', type: 'uint256' },
    { name: 'platform', type: 'uint8' },
    { name: 'expiresAt', type: 'uint40' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint40' },
  ],
  EnclaveApproval: [
    { name: 'provider', type: 'address' },
    { name: 'keysetDigest', type: 'bytes32' },
    { name: 'policyId', type: 'uint256' },
    { name: 'hardwareIdHash', type: 'uint256' },
    { name: 'platform', type: 'uint8' },
    { name: 'expiresAt', type: 'uint40' },
    { name: 'evidenceDigest', type: 'bytes32' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint40' },
  ],
  FamilySuccession: [
    { name: 'orderKey', type: 'bytes32' },
    { name: 'oldFamily', type: 'bytes32' },
    { name: 'newFamily', type: 'bytes32' },
  ],
  ModelApproval: [
    { name: 'modelId', type: 'uint256' },
    { name: 'ceremonyHash', type: 'bytes32' },
    { name: 'deadline', type: 'uint40' },
  ],
  SignIn: [
    { name: 'account', type: 'address' },
    { name: 'audience', type: 'string' },
    { name: 'nonce', type: 'bytes32' },
    { name: 'issuedAt', type: 'uint40' },
    { name: 'expiresAt', type: 'uint40' },
  ],
} as const;

/** Name of a type. */
export type Eip712Type = keyof typeof EIP712_TYPES;
/** A message: numbers as bigint, bytes and addresses as hex, strings as they are. */
export type Eip712Message = Readonly<Record<string, bigint | string>>;
/** chainId and verifying contract; name and version are fixed. */
export interface Eip712Domain {
  readonly chainId: bigint;
  readonly verifyingContract: string;
}

/** The domain as ethers takes it. */
export function ethersDomain(domain: Eip712Domain): {
  name: string;
  version: string;
  chainId: bigint;
  verifyingContract: string;
} {
  return { name: 'STUN', version: '1', chainId: domain.chainId, verifyingContract: domain.verifyingContract };
}

function encodeValue(type: string, value: bigint | string | undefined, name: string): Uint8Array {
  if (type === 'string' && typeof value === 'string') return keccak_256(utf8(value));
  if (type === 'bytes32' && typeof value === 'string') return fromHex(value, 32, name);
  if (type === 'address' && typeof value === 'string') return bigIntToBytes(bytesToBigInt(fromHex(value, 20, name)), 32);
  const bits = /^uint(\d+)$/.exec(type)?.[1];
  if (bits !== undefined && typeof value === 'bigint' && value >> BigInt(bits) === 0n) return bigIntToBytes(value, 32, name);
  throw new StunError('STUN_INPUT', `EIP-712 field ${name} must be a ${type}`);
}

/** The digest to sign: keccak256(0x1901 ‖ domain separator ‖ struct hash). @throws `STUN_INPUT` for a wrong or missing field */
export function eip712Digest(type: Eip712Type, domain: Eip712Domain, message: Eip712Message): Uint8Array {
  const fields = EIP712_TYPES[type];
  const typeText = `${type}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`;
  const struct = keccak_256(
    concatBytes(keccak_256(utf8(typeText)), ...fields.map((field) => encodeValue(field.type, message[field.name], field.name))),
  );
  const separator = keccak_256(
    concatBytes(
      keccak_256(utf8('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')),
      keccak_256(utf8('STUN')),
      keccak_256(utf8('1')),
      bigIntToBytes(domain.chainId, 32),
      bigIntToBytes(bytesToBigInt(fromHex(domain.verifyingContract, 20, 'verifyingContract')), 32),
    ),
  );
  return keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), separator, struct));
}

/** Signs with a secp256k1 key. @returns r ‖ s ‖ v, 65 bytes, low s, v 27 or 28 */
export function signEip712(secretKey: Uint8Array, type: Eip712Type, domain: Eip712Domain, message: Eip712Message): Hex {
  const signature = secp256k1.sign(eip712Digest(type, domain, message), secretKey, { prehash: false, format: 'recovered' });
  return toHex(concatBytes(signature.subarray(1), Uint8Array.of(27 + signature[0]!)));
}

/**
 * The address that signed. The caller compares it with the one it expects.
 * @throws `STUN_SIGNATURE` when the bytes are no signature or s is high
 */
export function recoverEip712(type: Eip712Type, domain: Eip712Domain, message: Eip712Message, signature: string): Hex {
  const bytes = fromHex(signature, 65, 'signature');
  const v = bytes[64]!;
  if (v !== 27 && v !== 28) throw new StunError('STUN_SIGNATURE', 'v must be 27 or 28');
  try {
    const parsed = secp256k1.Signature.fromBytes(bytes.subarray(0, 64)).addRecoveryBit(v - 27);
    if (parsed.hasHighS()) throw new StunError('STUN_SIGNATURE', 's must be in the lower half');
    const key = parsed.recoverPublicKey(eip712Digest(type, domain, message)).toBytes(false);
    return toHex(keccak_256(key.subarray(1)).subarray(12));
  } catch (cause) {
    if (cause instanceof StunError) throw cause;
    throw new StunError('STUN_SIGNATURE', `the ${type} signature is malformed`, { cause });
  }
}
