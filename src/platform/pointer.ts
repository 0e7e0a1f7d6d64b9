import { openLibc } from "#platform/libc";
import type { NativeCall } from "./platform.ts";

let libc: NativeCall | undefined;

/** Where bytes lie in memory, for structures that point to others. Valid for as long as the bytes are held. */
export function pointerTo(bytes: Uint8Array): bigint {
  // memmove(3) answers the place it was told to write to; here it moves nothing.
  libc ??= openLibc({ memmove: { args: ["bytes", "bytes", "u64"], returns: "i64" } });
  return BigInt(libc?.("memmove", bytes, bytes, 0) ?? 0);
}
