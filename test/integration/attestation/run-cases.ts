/**
 * Assesses cases with a build of attestation and gives each whole verdict as text. Runs in Node and, sent there as its own source, in a
 * browser: it refers to nothing outside itself.
 */

/** A case as text: the name of an `assess…` function and its input, byte strings as `{ "$hex": "…" }`. */
export function encodeCase(call: string, input: object): string {
  return JSON.stringify({ call, input }, (_key, value: unknown) => {
    if (value instanceof Uint8Array) return { $hex: Buffer.from(value).toString('hex') };
    // Parsed collateral holds functions; what it was parsed from says the same.
    return typeof value === 'object' && value !== null && 'json' in value && 'signatures' in value ? value.json : value;
  });
}

/**
 * @param from - the specifier of the build, and the cases; `rims` and `rimAtUnix` of a GPU's input are reference values to hold against it
 * @returns for each case the result's JSON: byte strings in hex, maps and sets as lists, errors with their code
 */
export async function runCases(from: { readonly build: string; readonly cases: readonly string[] }): Promise<string[]> {
  const attestation = (await import(from.build)) as Record<string, (...input: unknown[]) => unknown>;
  const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const revive = (_key: string, value: { $hex?: string } | null): unknown =>
    typeof value === 'object' && typeof value?.$hex === 'string' ? bytes(value.$hex) : value;
  const plain = (_key: string, value: unknown): unknown => {
    if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (value instanceof Map || value instanceof Set) return [...value];
    if (typeof value === 'bigint') return `${value}n`;
    if (value instanceof Error) return { ...Object.fromEntries(Object.entries(value)), message: value.message };
    return value;
  };
  return from.cases.map((text) => {
    const { call, input } = JSON.parse(text, revive) as {
      call: string;
      input: { rims?: unknown; rimAtUnix?: unknown; roots?: unknown };
    };
    const { rims, rimAtUnix, ...evidence } = input;
    if (call !== 'assessGpu' || rims === undefined) return JSON.stringify(attestation[call]!(input), plain);
    return JSON.stringify(attestation[call]!(evidence, attestation['holdRims']!(rims, rimAtUnix, evidence.roots)), plain);
  });
}
