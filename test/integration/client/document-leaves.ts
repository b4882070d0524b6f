/** Changing one leaf of a JSON document at a time. */
import { fieldToHex } from '#protocol/index.ts';

/** A JSON document. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Every leaf of a document with its path, `a[0].b`. */
export function leavesOf(value: JsonValue, path = ''): { path: string; keys: (string | number)[] }[] {
  const walk = (node: JsonValue, at: string, keys: (string | number)[]): { path: string; keys: (string | number)[] }[] => {
    if (Array.isArray(node)) return node.flatMap((item, i) => walk(item, `${at}[${i}]`, [...keys, i]));
    if (typeof node === 'object' && node !== null) {
      return Object.entries(node).flatMap(([key, item]) => walk(item, at === '' ? key : `${at}.${key}`, [...keys, key]));
    }
    return [{ path: at, keys }];
  };
  return walk(value, path, []);
}

/** Another value of the same form, so that the schema does not notice. */
export function changed(leaf: string | number | boolean | null, path: string): JsonValue {
  if (typeof leaf === 'number') return leaf + 1;
  if (typeof leaf === 'boolean') return !leaf;
  if (leaf === null) return fieldToHex(5n);
  if (path.endsWith('.status')) return leaf === 'served' ? 'failed' : 'served';
  if (/^\d+$/.test(leaf)) return (BigInt(leaf) + 1n).toString();
  if (/^0x[0-9a-f]*$/.test(leaf)) {
    // A digit in the middle: the first would often leave the field, the last is the easiest.
    const at = 2 + Math.floor((leaf.length - 2) / 2);
    return leaf.slice(0, at) + (leaf[at] === '0' ? '1' : '0') + leaf.slice(at + 1);
  }
  const at = Math.floor(leaf.length / 2);
  return leaf.slice(0, at) + (leaf[at] === '0' ? '1' : '0') + leaf.slice(at + 1);
}

export function withChange(
  document: JsonValue,
  keys: readonly (string | number)[],
  change: (leaf: JsonValue) => JsonValue,
): JsonValue {
  const copy = structuredClone(document);
  let node = copy as Record<string | number, JsonValue>;
  for (const key of keys.slice(0, -1)) node = node[key] as Record<string | number, JsonValue>;
  const last = keys.at(-1)!;
  node[last] = change(node[last]!);
  return copy;
}

/** Whether a path lies under one of the places. */
export function isUnder(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`));
}
