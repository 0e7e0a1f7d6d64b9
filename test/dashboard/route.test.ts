import { expect, test } from "bun:test";
import { linkTo, type Route, routeOf } from "../../src/dashboard/layout/route.ts";

const places: [string, Route][] = [
  ["", { view: "overview" }],
  ["#/", { view: "overview" }],
  ["#/nowhere", { view: "overview" }],
  ["#/sessions", { view: "sessions", query: "" }],
  ["#/sessions/", { view: "sessions", query: "" }],
  ["#/sessions?show=busy&label=a:b", { view: "sessions", query: "show=busy&label=a:b" }],
  ["#/sessions/claude-code:1", { view: "session", id: "claude-code:1" }],
  ["#/sessions/%", { view: "session", id: "%" }],
  ["#/projects", { view: "projects", project: undefined }],
  ["#/projects/%2Fhome%2Fme", { view: "projects", project: "/home/me" }],
  ["#/changes", { view: "changes" }],
  ["#/settings/history/3", { view: "settings", rest: ["history", "3"] }],
];

test.each(places)("the fragment %j names a place", (fragment, route) => {
  expect(routeOf(fragment)).toEqual(route);
});

test("a link leads to where it was made for, whatever the name", () => {
  for (const id of ["notes", "claude-code:1", "a/b", "100%", "ü"])
    expect(routeOf(linkTo("sessions", id))).toEqual({ view: "session", id });
});
