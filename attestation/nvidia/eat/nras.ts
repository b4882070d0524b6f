/**
 * Answers of NVIDIA's attestation service (NRAS): an overall token and one for each device, signed by keys that the service
 * publishes. Whoever takes one trusts NVIDIA's service to have verified the devices; nothing of a device is verified here.
 *
 * The form is `[["JWT", overall], { "GPU-0": token, … }]`. No public sample exists: tests run on synthetic answers alone.
 * Source: NVIDIA/attestation-sdk@73c032e and confidential-containers/trustee@78962cd (NRAS claims); RFC 9711 (EAT), detached bundles
 * and digests of submodules.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex, utf8 } from '#protocol/bytes.ts';
import type { Check, CheckId } from '../../checks.ts';
import { Attempts, CheckLedger, nrasChecks } from '../../checks.ts';
import { cryptoProvider } from '../../crypto/provider.ts';
import type { PublicJwk } from '../../jose/jwks.ts';
import type { Jws } from '../../jose/jws.ts';
import { parseJws, verifyJws, verifyTokenTime } from '../../jose/jws.ts';
import type { JsonObject, JsonValue } from '../../json/capped-json.ts';
import { parseCappedJson } from '../../json/capped-json.ts';
import { FieldReader } from '../../json/fields.ts';
import type { GpuPolicy } from '../../policy/gpu-policy.ts';
import { isSkip } from '../../policy/policy-fields.ts';
import type { GpuArchitecture } from '../report-facts.ts';
import { isVersionBelow } from '../version-order.ts';

/** An answer with what it is held against. */
export interface NrasInput {
  /** JSON text, as the service sent it. */
  readonly answer: string;
  /** The service's keys: its JWKS, got from where the caller trusts it. */
  readonly keys: readonly PublicJwk[];
  /** The origin that must have issued the tokens: `https://nras.attestation.nvidia.com`. */
  readonly issuer: string;
  /** The challenge, 32 bytes. */
  readonly nonce: Uint8Array;
  readonly atUnix: number;
  /** Architectures and floors of versions; the rest of a GPU policy is about reports. */
  readonly policy: Pick<GpuPolicy, 'architectures' | 'minDriverVersion' | 'minVbiosVersions'>;
}

/** What the service says of one device. */
export interface NrasDevice {
  /** `GPU-0` say. */
  readonly name: string;
  readonly architecture: GpuArchitecture;
  readonly driverVersion: string;
  readonly vbiosVersion: string;
  /** UEID, where the service gives one. */
  readonly ueid: string | null;
}

/** The report on an answer, on refusal too. */
export interface NrasAssessment {
  /** Null unless every check holds that the policy does not skip. */
  readonly devices: readonly NrasDevice[] | null;
  /** The earliest end of a token, unix seconds; null on refusal. */
  readonly expiresAtUnix: number | null;
  readonly checks: readonly Check[];
  readonly failure: StunError | null;
}

const code = 'STUN_NRAS_FORMAT';
/** PPCIE has eight GPUs; twice as many are read. */
const maxDevices = 16;
/** Chips by how `hwmodel` begins. */
const chips: readonly (readonly [string, GpuArchitecture])[] = [
  ['GH1', 'hopper'],
  ['GB1', 'blackwell'],
  ['GB2', 'blackwell'],
  ['LS_10', 'ls10'],
  ['LS10', 'ls10'],
];

interface DeviceToken {
  readonly name: string;
  readonly text: string;
  readonly jws: Jws;
}

interface Answer {
  readonly overall: Jws;
  readonly devices: readonly DeviceToken[];
}

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

function textOf(value: JsonValue | undefined, what: string): string {
  return typeof value === 'string' ? value : refuse(`expected ${what} as text`);
}

function parseAnswer(text: string): Answer {
  const value = parseCappedJson(text);
  if (!Array.isArray(value) || value.length !== 2) refuse('expected a list of the overall token and the tokens of the devices');
  const [first = null, second = null] = value as readonly JsonValue[];
  if (!Array.isArray(first) || first.length !== 2 || first[0] !== 'JWT') refuse('expected ["JWT", token] first');
  const tokens = new FieldReader(second, 'devices', code);
  const names = typeof second === 'object' && second !== null ? Object.keys(second) : [];
  if (names.length === 0 || names.length > maxDevices) refuse(`expected 1 to ${maxDevices} devices, got ${names.length}`);
  const devices = names.map((name) => {
    const token = tokens.string(name);
    return { name, text: token, jws: parseJws(token) };
  });
  return { overall: parseJws(textOf((first as readonly JsonValue[])[1], 'the overall token')), devices };
}

/** The SHA-256 that the overall token has for each device, lower-case hex. Every device must be named, and no other. */
function verifyDigests({ overall, devices }: Answer): void {
  const submods = new FieldReader(overall.claims['submods'] ?? null, 'submods', 'STUN_NRAS_DIGEST');
  const wrong = (name: string): never => {
    throw new StunError('STUN_NRAS_DIGEST', `the token of ${name.slice(0, 40)} is not the one that the overall token names`);
  };
  submods.only(...devices.map(({ name }) => name));
  for (const { name, text } of devices) {
    const entry = submods.list(name, 2);
    const digest = Array.isArray(entry[1]) ? (entry[1] as readonly JsonValue[]) : wrong(name);
    const expected = toHex(cryptoProvider.sha256(utf8(text))).slice(2);
    const [algorithm, found] = digest;
    if (entry[0] !== 'DIGEST' || (algorithm !== 'SHA-256' && algorithm !== 'SHA256')) wrong(name);
    if (typeof found !== 'string' || found.toLowerCase() !== expected) wrong(name);
  }
}

/** A claim that must have one value. */
function claim(claims: JsonObject, name: string, wanted: string | boolean, errorCode: ErrorCode, of: string): void {
  if (claims[name] !== wanted) throw new StunError(errorCode, `${of}: expected ${name} ${String(wanted)}`);
}

function architectureOf({ name, jws }: DeviceToken): GpuArchitecture {
  const model = typeof jws.claims['hwmodel'] === 'string' ? jws.claims['hwmodel'] : '';
  const found = chips.find(([prefix]) => model.startsWith(prefix))?.[1];
  if (found === undefined)
    throw new StunError('STUN_POLICY_GPU_ARCHITECTURE', `${name}: ${model.slice(0, 40)} is of no known architecture`);
  return found;
}

function versionOf({ jws }: DeviceToken, kind: 'driver' | 'vbios'): string {
  const value = jws.claims[`x-nvidia-gpu-${kind}-version`];
  return typeof value === 'string' ? value : '';
}

function verifyFloor(device: DeviceToken, kind: 'driver' | 'vbios', floor: string): void {
  const version = versionOf(device, kind);
  if (isVersionBelow(version, floor))
    throw new StunError('STUN_POLICY_GPU_VERSION', `${device.name}: ${kind} ${version.slice(0, 40)} is below ${floor}`);
}

/**
 * Parses and verifies an answer and reports on all of it. Never throws for a bad answer.
 * Does not check who the devices are beyond what the service says, nor whether the service's own certificate is still good.
 */
export function assessNras(input: NrasInput): NrasAssessment {
  const ledger = new CheckLedger(...nrasChecks);
  let answer: Answer;
  try {
    answer = ledger.prove('nras-format', () => parseAnswer(input.answer));
  } catch (thrown) {
    return { devices: null, expiresAtUnix: null, checks: ledger.list(), failure: asStunError(thrown) };
  }
  const { overall, devices } = answer;
  const tokens = [{ name: 'the overall token', jws: overall }, ...devices];
  const attempts = new Attempts(ledger);
  const each = (id: CheckId, body: (device: DeviceToken) => void): unknown => attempts.run(id, () => devices.forEach(body));
  attempts.run('nras-signature', () => verifyJws(overall, input.keys));
  each('nras-device-signature', ({ jws }) => verifyJws(jws, input.keys));
  attempts.run('nras-device-digest', () => verifyDigests(answer));
  attempts.run('nras-issuer', () =>
    tokens.forEach(({ name, jws }) => claim(jws.claims, 'iss', input.issuer, 'STUN_TOKEN_ISSUER', name)),
  );
  const ends = attempts.run('nras-time', () => tokens.map(({ jws }) => verifyTokenTime(jws.claims, input.atUnix).expiresAtUnix));
  attempts.run('nras-nonce', () => {
    const wanted = toHex(input.nonce).slice(2);
    for (const { name, jws } of tokens) {
      const { eat_nonce: found } = jws.claims;
      if (typeof found !== 'string' || found.toLowerCase() !== wanted)
        throw new StunError('STUN_TOKEN_NONCE', `${name} answers another challenge`);
    }
  });
  attempts.run('nras-result', () =>
    claim(overall.claims, 'x-nvidia-overall-att-result', true, 'STUN_NRAS_RESULT', 'the overall token'),
  );
  each('nras-measurement', ({ name, jws }) => claim(jws.claims, 'measres', 'success', 'STUN_NRAS_MEASUREMENT', name));
  each('nras-secure-boot', ({ name, jws }) => claim(jws.claims, 'secboot', true, 'STUN_NRAS_SECURE_BOOT', name));
  each('nras-debug', ({ name, jws }) => claim(jws.claims, 'dbgstat', 'disabled', 'STUN_NRAS_DEBUG', name));
  const { architectures, minDriverVersion, minVbiosVersions } = input.policy;
  const found = attempts.run('nras-architecture', () =>
    devices.map((device) => {
      const architecture = architectureOf(device);
      if (!architectures.includes(architecture))
        throw new StunError('STUN_POLICY_GPU_ARCHITECTURE', `${device.name}: the policy does not name ${architecture}`);
      return { device, architecture };
    }),
  );
  if (!isSkip(minDriverVersion)) each('nras-driver-version', (device) => verifyFloor(device, 'driver', minDriverVersion));
  const floors = (found ?? []).filter(({ architecture }) => !isSkip(minVbiosVersions[architecture]));
  if (floors.length > 0)
    attempts.run('nras-vbios-version', () =>
      floors.forEach(({ device, architecture }) => {
        const floor = minVbiosVersions[architecture];
        if (!isSkip(floor)) verifyFloor(device, 'vbios', floor);
      }),
    );
  const { failure } = attempts;
  if (failure !== null || found === null || ends === null)
    return { devices: null, expiresAtUnix: null, checks: ledger.list(), failure };
  return {
    devices: found.map(({ device, architecture }) =>
      Object.freeze({
        name: device.name,
        architecture,
        driverVersion: versionOf(device, 'driver'),
        vbiosVersion: versionOf(device, 'vbios'),
        ueid: typeof device.jws.claims['ueid'] === 'string' ? device.jws.claims['ueid'] : null,
      }),
    ),
    expiresAtUnix: Math.min(...ends),
    checks: ledger.list(),
    failure: null,
  };
}
