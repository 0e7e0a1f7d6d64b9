import { describe, expect, test } from "bun:test";
import { PathTree } from "../../src/http/path-tree.ts";

function setup(...paths: string[]): PathTree<string> {
  const tree = new PathTree<string>();
  for (const path of paths) tree.add("ALL", path, path);
  return tree;
}

/** What stands at a path, and what its parameters are there; undefined where nothing does. */
function found(tree: PathTree<string>, path: string): unknown {
  return tree.match("GET", path)[0][0];
}

describe("a tree of paths", () => {
  const tree = setup("/", "/api/sessions", "/api/sessions/:id", "/api/sessions/:id/messages/:n", "/readyz");

  test.each([
    ["/", "/", {}],
    ["/readyz", "/readyz", {}],
    ["/api/sessions", "/api/sessions", {}],
    ["/api/sessions/a", "/api/sessions/:id", { id: "a" }],
    ["/api/sessions/a%2Fb", "/api/sessions/:id", { id: "a%2Fb" }],
    ["/api/sessions/a/messages/7", "/api/sessions/:id/messages/:n", { id: "a", n: "7" }],
  ])("finds what stands at %s", (path, added, parameters) => {
    expect(found(tree, path)).toEqual([added, parameters]);
  });

  test.each([
    "",
    "//",
    "/api",
    "/api/",
    "/readyz/",
    "/READYZ",
    "/api/sessions/",
    "/api/sessions//messages/7",
    "/api/sessions/a/",
    "/api/sessions/a/messages",
    "/api/sessions/a/messages/",
    "/api/sessions/a/messages/7/more",
    "/:id",
    "/constructor",
    "/api/__proto__",
  ])("finds nothing at %p", (path) => {
    expect(found(tree, path)).toBeUndefined();
  });

  test("a part that is written out beats a parameter", () => {
    const tree = setup("/api/:name", "/api/stats");
    expect(found(tree, "/api/stats")).toEqual(["/api/stats", {}]);
    expect(found(tree, "/api/other")).toEqual(["/api/:name", { name: "other" }]);
  });

  test("paths that name a parameter in the same place differently keep their names", () => {
    const tree = setup("/api/:session/context", "/api/:id/note");
    expect(found(tree, "/api/a/context")).toEqual(["/api/:session/context", { session: "a" }]);
    expect(found(tree, "/api/a/note")).toEqual(["/api/:id/note", { id: "a" }]);
  });
});
