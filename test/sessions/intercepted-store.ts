import type { Store } from "../../src/store/store.ts";

/** What comes between the daemon and its store. */
export interface Interception {
  /**
   * Asked before each operation, named as `messages.finish`: where it returns a promise that is waited for, and
   * where that rejects the operation was never made and fails so.
   */
  before: (operation: string) => Promise<void> | undefined;
  /** The process was killed: nothing comes back from the store any more. */
  isDead: boolean;
}

/** The store with something in between. */
export function interceptedStore(store: Store, interception: Interception): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name === "setDurability") return value;
      return typeof value === "object" && value !== null
        ? interceptedPart(value, `${String(name)}.`, interception)
        : interceptedCall(target, value, String(name), interception);
    },
  });
}

function interceptedPart(part: object, group: string, interception: Interception): object {
  return new Proxy(part, {
    get: (target, name) =>
      interceptedCall(target, Reflect.get(target, name), group + String(name), interception),
  });
}

function interceptedCall(part: object, value: unknown, operation: string, interception: Interception) {
  if (typeof value !== "function") return value;
  return async (...given: unknown[]): Promise<unknown> => {
    if (interception.isDead) return never;
    const before = interception.before(operation);
    if (before) await before;
    const result: unknown = interception.isDead ? never : await Reflect.apply(value, part, given);
    return interception.isDead ? never : result;
  };
}

const never = new Promise<never>(() => {});
