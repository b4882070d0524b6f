/** A contract behind a node that lies about one thing. */

/** The same contract with one method's answer changed. */
export function lyingOf<T extends object>(contract: T, name: keyof T, change: (answer: never) => unknown): T {
  return new Proxy(contract, {
    get(target, property) {
      const own: unknown = Reflect.get(target, property, target);
      if (typeof own !== 'function') return own;
      return property === name
        ? async (...args: unknown[]) => change((await Reflect.apply(own, target, args)) as never)
        : own.bind(target);
    },
  });
}
