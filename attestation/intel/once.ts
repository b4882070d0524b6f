/** Computes a value when it is first wanted, and gives the same value, or the same error, ever after. */
export function once<T>(body: () => T): () => T {
  let outcome: { readonly value: T } | { readonly error: unknown } | null = null;
  return () => {
    if (outcome === null) {
      try {
        outcome = { value: body() };
      } catch (thrown) {
        outcome = { error: thrown };
      }
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  };
}
