import { expect, test } from "bun:test";
import { isExcluded } from "../../src/agents/project.ts";

const home = "/home/me";

test.each([
  ["/work/secret", "/work/secret", true],
  ["/work/secret/", "/work/secret", true],
  ["/work/secret/deep/down", "/work/secret", true],
  ["/work/secretive", "/work/secret", false],
  ["/work/secret", "/work/secret/", true],
  ["/work/secret", "/work/*", true],
  ["/work/a/.hidden", "/work/**/.h*", true],
  ["/work", "/work/*", false],
  ["/any/where/client-x/src", "client-x", true],
  ["/any/where/client-x/src", "client-*", true],
  ["/any/where/other", "client-*", false],
  ["/home/me/private/a", "~/private", true],
  ["/home/me/private/a", "~/private/**", true],
  ["/home/me/open", "~/private/**", false],
  ["/home/you/private", "~/private", false],
  ["/home/me", "~", true],
  ["/home/me/x/../private", "~/private", true],
  ["/work/b", "/work/{a,b}", true],
  ["/work/b", "", false],
  ["", "**", false],
])("a project in %s under the glob %p: %p", (folder, glob, is) => {
  expect(isExcluded(folder, ["/no/such/place", glob], home)).toBe(is);
});
