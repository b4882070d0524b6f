/** The committed modules of the WebAssembly prover, for Node. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { StunError } from '#protocol/errors/stun-error.ts';
import { WASM_ENGINES, type WasmModules } from './wasm-backend.ts';
import manifest from './wasm/manifest.json' with { type: 'json' };

/**
 * Reads the modules.
 * @throws `STUN_CONFIG` when one is missing or has another digest than prover/wasm/manifest.json says
 */
export function loadWasmModules(): WasmModules {
  const read = (name: string, sha256: string): Uint8Array<ArrayBuffer> => {
    const path = fileURLToPath(new URL(`./wasm/${name}`, import.meta.url));
    try {
      const bytes = readFileSync(path);
      if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
    } catch (cause) {
      throw new StunError('STUN_CONFIG', `the WebAssembly prover is not available: ${path} cannot be read`, { cause });
    }
    throw new StunError('STUN_CONFIG', `the WebAssembly prover is not available: ${path} must have SHA-256 ${sha256}`);
  };
  return Object.fromEntries(WASM_ENGINES.map((name) => [name, read(`${name}.wasm`, manifest.binariesSha256[`${name}.wasm`])]));
}
