import { describe, expect, test } from "bun:test";
import { array, assert, constantFrom, property } from "fast-check";
import { copiesOf } from "../../src/settings/secrets.ts";
import { maskUnusable } from "../../src/settings/unusable-text.ts";

const secret = "sk-planted-0123456789";

function shown(text: string, known: readonly string[] = []): string | null {
  return maskUnusable(new TextEncoder().encode(text), copiesOf(known));
}

describe("a settings file that cannot be used, as it is shown", () => {
  test("keeps its lines, its comments and what is no secret", () => {
    const text = `{\n  // the fast one\n  "provider": "claude",\n  "turn": { "maxAttempts": many }\n}\n`;
    expect(shown(text)).toBe(text.replace("many", "••••"));
  });

  test.each([
    [`{"providers": {"x": {"apiKey": "${secret}", "model": "m"}}`],
    [`{"providers": {"x": {"apiKey: "${secret}", "model": "m"}}}`],
    [`{"providers": {"x": {apiKey: ${secret}, "model": "m"}}}`],
    [`{"providers": {"x": {"apiKey" "${secret}", "model": "m"}}}`],
    [`{"providers": {"x": {"model": "m, "apiKey": "${secret}"}}}`],
    [`{"providers": {"x": {"model": "m, apiKey: ${secret}\n}}}`],
    [`{"providers": {"x": {"apiKey": '${secret}'}}}`],
    [`{"providers": {"x": {"apiKey": /* mine */ "${secret}"}}`],
    [`{"server": {"token": "${secret}" "port": 1}}`],
    [`{"providers": {"x": {"baseUrl": "https://me:${secret}@host"}}`],
    [`{"providers": {"x": {"argv": ["tool", "--key=${secret}"]}}`],
    [`"${secret}": {}`],
    [secret],
  ])("hides the secret in %s", (text) => {
    expect(shown(text)).not.toContain(secret);
  });

  test("hides a secret that is known wherever it stands", () => {
    expect(shown(`{ // was ${secret}\n "provider": "${secret}" `, [secret])).not.toContain(secret);
  });

  test("has as many lines as the file, whatever stands in it", () => {
    const pieces = constantFrom("{", "}", "[", "]", '"', ":", ",", "/", "*", "\\", " ", "\n", "a", "1", "-");
    assert(
      property(array(pieces), (drawn) => {
        const text = drawn.join("");
        expect(shown(text)?.split("\n").length).toBe(text.split("\n").length);
      }),
    );
  });

  test("is nothing where the bytes are no UTF-8", () => {
    expect(maskUnusable(new Uint8Array([0xff, 0xfe, 0x7b]), copiesOf([]))).toBeNull();
  });
});
