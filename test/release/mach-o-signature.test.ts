import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { signedAdHoc } from "./mach-o-signature.ts";

const linkEditAt = 0x3000;
/** Not at the end of a page, as in a real one. */
const signatureAt = 0x3450;

/** The least that macOS would call a program: two segments, and a signature that does not match. */
function program(): Buffer {
  const file = Buffer.alloc(0x5000, 0x5a);
  file.writeUInt32LE(0xfeedfacf, 0);
  file.writeUInt32LE(3, 16);
  segment(file, 32, "__TEXT", 0n, 0x3000n);
  segment(file, 104, "__LINKEDIT", BigInt(linkEditAt), 0x2000n);
  for (const [at, value] of [0x1d, 16, signatureAt, 0x5000 - signatureAt].entries())
    file.writeUInt32LE(value, 176 + at * 4);
  return file;
}

function segment(file: Buffer, at: number, name: string, offset: bigint, size: bigint): void {
  file.writeUInt32LE(0x19, at);
  file.writeUInt32LE(72, at + 4);
  file.fill(0, at + 8, at + 24).write(name, at + 8);
  for (const [index, value] of [offset, size, offset, size].entries())
    file.writeBigUInt64LE(value, at + 24 + index * 8);
}

test("every page matches the signature, which is where the program says, to its last byte", () => {
  const signed = signedAdHoc(program(), "segue");
  expect(signed.readUInt32LE(176 + 8)).toBe(signatureAt);
  expect(signatureAt + signed.readUInt32LE(176 + 12)).toBe(signed.length);
  expect(Number(signed.readBigUInt64LE(104 + 40)) + Number(signed.readBigUInt64LE(104 + 48))).toBe(
    signed.length,
  );
  const directory = signed.subarray(signatureAt + signed.readUInt32BE(signatureAt + 16));
  expect(directory.readUInt32BE(0)).toBe(0xfade0c02);
  expect(directory.readUInt32BE(4)).toBe(directory.length);
  expect(directory.subarray(directory.readUInt32BE(20)).toString("utf8", 0, 6)).toBe("segue\0");
  const hashes = directory.subarray(directory.readUInt32BE(16));
  const slots = directory.readUInt32BE(28);
  expect(slots).toBe(4);
  for (let page = 0; page < slots; page++) {
    const bytes = signed.subarray(page * 4096, Math.min((page + 1) * 4096, signatureAt));
    const hash = createHash("sha256").update(bytes).digest();
    expect(hashes.subarray(page * 32, (page + 1) * 32).equals(hash)).toBe(true);
  }
  expect(hashes.length).toBe(slots * 32);
});

test("a program that is signed once more stays as it is", () => {
  const signed = signedAdHoc(program(), "segue");
  expect(signedAdHoc(signed, "segue").equals(signed)).toBe(true);
});

test("what is no program for macOS is refused", () => {
  expect(() => signedAdHoc(Buffer.from("#!/bin/sh\n"), "segue")).toThrow("no 64-bit program");
  const without = program();
  without.writeUInt32LE(0x1b, 176);
  expect(() => signedAdHoc(without, "segue")).toThrow("no place for a signature");
});
