import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { findPaths } from "../../src/cli/paths.ts";

test.each([
  ["the user's folders", {}, {}, "/home/u/.config/segue/settings.json", "/home/u/.local/share/segue"],
  [
    "the XDG folders",
    {},
    { XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d" },
    "/c/segue/settings.json",
    "/d/segue",
  ],
  [
    "no XDG folder that is relative or empty",
    {},
    { XDG_CONFIG_HOME: "c", XDG_DATA_HOME: "" },
    "/home/u/.config/segue/settings.json",
    "/home/u/.local/share/segue",
  ],
  [
    "the variables before the XDG folders",
    {},
    { SEGUE_SETTINGS: "/s.json", SEGUE_DATA: "/data", XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d" },
    "/s.json",
    "/data",
  ],
  [
    "the flags before the variables",
    { settings: "/f.json", data: "/f" },
    { SEGUE_SETTINGS: "/s.json", SEGUE_DATA: "/data" },
    "/f.json",
    "/f",
  ],
  [
    "relative flags from the current folder",
    { settings: "f.json", data: "f" },
    {},
    resolve("f.json"),
    resolve("f"),
  ],
])("settings and data are in %s", (_where, flags, env, settings, data) => {
  expect(findPaths(flags, env, "/home/u")).toEqual({ settings, data });
});
