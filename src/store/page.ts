/** A part of a list. */
export interface Page<T> {
  items: T[];
  /** Opaque position of what follows; null at the end. */
  next: string | null;
}

/** Which part of a list: at most `limit` items, after the position of `cursor`. */
export interface PageRequest {
  limit: number;
  cursor: string | null;
}
