/** The tasks that wait for a thread: higher priority first, then order of arrival, at most a fixed number. */
export interface Waiting {
  readonly priority: number;
}

/** A bounded priority queue. Insertion is linear in its length, which the limit keeps small. */
export class WaitingLine<Item extends Waiting> {
  readonly limit: number;
  readonly #items: Item[] = [];

  /** @param limit - most items that may wait */
  constructor(limit: number) {
    this.limit = limit;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Adds an item behind all of the same or a higher priority. @returns false when the line is full */
  add(item: Item): boolean {
    if (this.#items.length >= this.limit) return false;
    const place = this.#items.findIndex((other) => other.priority < item.priority);
    this.#items.splice(place === -1 ? this.#items.length : place, 0, item);
    return true;
  }

  /** Puts an item that was taken before all others of its priority, whatever the limit. */
  putBack(item: Item): void {
    const place = this.#items.findIndex((other) => other.priority <= item.priority);
    this.#items.splice(place === -1 ? this.#items.length : place, 0, item);
  }

  /** The next item, left in the line; undefined when none waits. */
  get first(): Item | undefined {
    return this.#items[0];
  }

  /** Takes the next item. @returns undefined when none waits */
  take(): Item | undefined {
    return this.#items.shift();
  }

  /** Takes an item out of the line. @returns false when it does not wait */
  remove(item: Item): boolean {
    const place = this.#items.indexOf(item);
    if (place === -1) return false;
    this.#items.splice(place, 1);
    return true;
  }

  /** Empties the line. */
  drain(): Item[] {
    return this.#items.splice(0);
  }
}
