/**
 * The authorities of simulated GPUs: root, identity CA and provisioner, and the keys of devices, all derived from one seed.
 *
 * Whoever holds the seed can make reports that verify under this root. That is its purpose, and a verifier that does not name this
 * root refuses all of them. It is not secret material of anything real.
 */
import { toHex } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { GpuArchitecture } from '../nvidia/report-facts.ts';
import type { NvidiaTrustRoot } from '../trust/roots.ts';
import type { SigningKey } from './signing-key.ts';
import { deriveP384SigningKey } from './signing-key.ts';

/** The places of a device's chain, the key that signs reports first. */
export const devicePlaces = ['firmware', 'device', 'provisioner', 'identity', 'root'] as const;
export type DevicePlace = (typeof devicePlaces)[number];

/** The authorities. */
export interface SimulatedGpuPki {
  readonly authorityKey: (place: 'provisioner' | 'identity' | 'root') => SigningKey;
  /** The key of a device, or of its firmware, by the device's identity. */
  readonly deviceKey: (place: 'firmware' | 'device', hardwareId: Uint8Array) => SigningKey;
  /** The key of the OCSP responder of an authority. */
  readonly responderKey: (place: 'provisioner' | 'identity' | 'root') => SigningKey;
  /** For a trust store that is meant to accept simulated GPUs. Never in the default store. */
  readonly root: NvidiaTrustRoot;
}

/** Signatures are deterministic: a key that remembers them makes the same chain over and over without the work. */
function signingOnce({ publicKey, sign }: SigningKey): SigningKey {
  const made = new Map<string, Uint8Array>();
  return {
    publicKey,
    sign: (message) => {
      const name = toHex(cryptoProvider.sha256(message));
      const signature = made.get(name) ?? sign(message);
      if (made.size < 64) made.set(name, signature);
      return signature.slice();
    },
  };
}

/** Makes the authorities of a seed of 32 bytes. */
export function createSimulatedGpuPki(seed: Uint8Array): SimulatedGpuPki {
  const keys = new Map<string, SigningKey>();
  const key = (label: string): SigningKey => {
    const made = keys.get(label) ?? signingOnce(deriveP384SigningKey(seed, label));
    keys.set(label, made);
    return made;
  };
  return Object.freeze({
    authorityKey: (place: string) => key(`gpu-${place}`),
    deviceKey: (place: string, hardwareId: Uint8Array) => key(`gpu-${place}-${toHex(hardwareId)}`),
    responderKey: (place: string) => key(`gpu-ocsp-${place}`),
    root: Object.freeze({
      vendor: 'nvidia',
      name: 'STUN simulated device root',
      purpose: 'device',
      publicKey: toHex(key('gpu-root').publicKey),
      simulated: true,
    }),
  });
}

/** The common names of a chip's chain: those that the verifier demands. The organisation says that they are simulated. */
export function deviceNames(architecture: GpuArchitecture): Readonly<Record<DevicePlace, string>> {
  const [chip, processor, identity] = {
    hopper: ['GH100', 'GSP', 'GH100'],
    blackwell: ['GB100', 'GSP', 'GB100'],
    ls10: ['LS_10', 'FSP', 'GH100'],
  }[architecture] as [string, string, string];
  return {
    firmware: `${chip} A01 ${processor} FMC LF`,
    device: `${chip} A01 ${processor} BROM`,
    provisioner: `NVIDIA ${chip} Provisioner ICA 1`,
    identity: `NVIDIA ${identity} Identity`,
    root: 'NVIDIA Device Identity CA',
  };
}
