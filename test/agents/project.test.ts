import { expect, test } from "bun:test";
import { isExcluded } from "../../src/agents/project.ts";

const home = "/home/me";

test.each([
  ["/code/secret", "/code/secret", true],
  ["/code/secret/", "/code/secret", true],
  ["/code/secret/deep/down", "/code/secret", true],
  ["/code/secretive", "/code/secret", false],
  ["/code/secret", "/code/secret/", true],
  ["/code/secret", "/code/*", true],
  ["/code/a/.hidden", "/code/**/.h*", true],
  ["/code", "/code/*", false],
  ["/any/where/client-x/src", "client-x", true],
  ["/any/where/client-x/src", "client-*", true],
  ["/any/where/other", "client-*", false],
  ["/home/me/private/a", "~/private", true],
  ["/home/me/private/a", "~/private/**", true],
  ["/home/me/open", "~/private/**", false],
  ["/home/you/private", "~/private", false],
  ["/home/me", "~", true],
  ["/home/me/x/../private", "~/private", true],
  ["/code/b", "/code/{a,b}", true],
  ["/code/b", "", false],
  ["", "**", false],
])("a project in %s under the glob %p: %p", (folder, glob, is) => {
  expect(isExcluded(folder, ["/no/such/place", glob], home)).toBe(is);
});
