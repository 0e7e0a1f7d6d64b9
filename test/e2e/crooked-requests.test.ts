import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startSegue, type Segue } from "../support/segue.ts";
import { answerTo, head } from "./raw-connection.ts";

let open: Segue;
let closed: Segue;
const token = "a-token-of-some-length";
const marker = "zq7-smuggled";

beforeAll(async () => {
  open = await startSegue({ scope: "file" });
  closed = await startSegue({ scope: "file", settings: { server: { token } } });
});
afterAll(async () => {
  await open.stop();
  await closed.stop();
});

const portOf = ({ url }: Segue): number => Number(new URL(url).port);
const get = (target: string, headers: readonly string[] = []): string =>
  head(`GET ${target} HTTP/1.1`, headers);
const post = (headers: readonly string[], body: string): string =>
  head("POST /api/sessions/crooked/messages HTTP/1.1", ["Content-Type: text/plain", ...headers]) + body;

describe("a target that is no plain path", () => {
  test.each([
    ["//api/stats", "404 not_found"],
    ["/api//stats", "404 not_found"],
    ["/api/stats/", "404 not_found"],
    ["/../../etc/passwd", "404 not_found"],
    ["/%2e%2e/%2e%2e/etc/passwd", "404 not_found"],
    ["/..%2f..%2fetc/passwd", "404 not_found"],
    ["/api%2fstats", "404 not_found"],
    ["/api/sessions/a%2fb", "400 malformed"],
    ["/api/sessions/..%2f..%2fhealthz", "400 malformed"],
    ["/api/sessions/a%00b", "400 malformed"],
    ["/api/sessions/a\0b", "505"],
    ["/api/sessions/%zz", "400 malformed"],
    ["/api/sessions/%ff%fe", "400 malformed"],
    ["/api/sessions/%252e", "400 malformed"],
    [`/api/sessions/${"a".repeat(200)}`, "400 malformed"],
    [`/${"a".repeat(100_000)}`, "431"],
    ["*", "400"],
  ])("%j is refused", async (target, expected) => {
    expect(await answerTo(portOf(open), get(target))).toBe(expected);
  });

  test("as for a proxy counts as its path; who is asked is said by Host", async () => {
    expect(await answerTo(portOf(open), get("http://127.0.0.1/api/stats"))).toBe("200");
    const foreign = get("http://127.0.0.1/api/stats", ["Host: example.com"]);
    expect(await answerTo(portOf(open), foreign)).toBe("403 forbidden_host");
  });

  test("of another method is refused", async () => {
    expect(await answerTo(portOf(open), head("CONNECT 127.0.0.1:80 HTTP/1.1"))).toBe("400 malformed");
    expect(await answerTo(portOf(open), head("TRACE /api/stats HTTP/1.1"))).toBe("405 method_not_allowed");
    expect(await answerTo(portOf(open), head("PROPFIND /api/sessions HTTP/1.1"))).toMatch(/^4|closed/);
  });

  test.each([
    "/healthz/../api/stats",
    "/healthz/%2e%2e/api/stats",
    "/healthz\\..\\api\\stats",
    "/healthz;/../api/stats",
    "//healthz/../api/stats",
    "/openapi.json/../api/settings",
    "/api/stats?/healthz",
    "/api/stats#/healthz",
    "/healthz%2f..%2fapi/stats",
    "/HEALTHZ",
    "http://127.0.0.1/api/stats",
  ])("%j does not come past the token", async (target) => {
    expect(await answerTo(portOf(closed), get(target))).toMatch(/^(401 unauthorized|400|404 not_found)/);
    expect(await answerTo(portOf(closed), get(target))).not.toBe("200");
  });
});

describe("headers that contradict each other", () => {
  test.each<[string, readonly string[], string]>([
    ["two hosts, the own one first", ["Host: 127.0.0.1", "Host: example.com"], "403 forbidden_host"],
    ["two hosts, the own one last", ["Host: example.com", "Host: 127.0.0.1"], "403 forbidden_host"],
    ["the own host twice", ["Host: 127.0.0.1", "Host: 127.0.0.1"], "403 forbidden_host"],
    ["a host with a space before the colon", ["Host : 127.0.0.1"], "400"],
    ["a folded line", ["X: a\r\n b"], "400"],
    ["a NUL", ["X: a\0b"], "400"],
    ["a header without an end", [`X: ${"a".repeat(200_000)}`], "431"],
    ["thousands of them", Array.from({ length: 5000 }, (_, n) => `X-${n}: a`), "431"],
    [
      "another origin behind the own one",
      ["Origin: http://127.0.0.1", "Origin: http://example.com"],
      "403 forbidden_origin",
    ],
  ])("%s", async (_name, headers, expected) => {
    expect(await answerTo(portOf(open), get("/api/stats", headers))).toBe(expected);
  });

  test("no host at all", async () => {
    expect(await answerTo(portOf(open), "GET /api/stats HTTP/1.1\r\n\r\n")).toBe("400");
    expect(await answerTo(portOf(open), "GET /api/stats HTTP/1.0\r\n\r\n")).toBe("400 malformed");
  });

  test("two tokens, the right one first or last", async () => {
    const right = `Authorization: Bearer ${token}`;
    expect(await answerTo(portOf(closed), get("/api/stats", [right]))).toBe("200");
    for (const headers of [
      [right, "Authorization: Bearer other"],
      ["Authorization: Bearer other", right],
      [right, right],
      [`Authorization: Bearer ${token.slice(0, -1)}`],
      [`Proxy-Authorization: Bearer ${token}`],
      [`Cookie: token=${token}`],
    ])
      expect(await answerTo(portOf(closed), get("/api/stats", headers))).toBe("401 unauthorized");
    expect(await answerTo(portOf(closed), get(`/api/stats?token=${token}`))).toBe("401 unauthorized");
  });
});

test.each<[string, readonly string[], string, string]>([
  ["both a length and chunks", ["Content-Length: 4", "Transfer-Encoding: chunked"], "0\r\n\r\n", "400"],
  ["chunks and a length", ["Transfer-Encoding: chunked", "Content-Length: 4"], "0\r\n\r\n", "400"],
  ["two lengths", ["Content-Length: 4", "Content-Length: 5"], "abcde", "400"],
  ["a negative length", ["Content-Length: -1"], "", "400"],
  ["a length with a sign", ["Content-Length: +4"], "abcd", "400"],
  ["a length beyond all numbers", ["Content-Length: 99999999999999999999999"], "abcd", "400"],
  ["an unknown coding", ["Transfer-Encoding: xchunked"], "4\r\nabcd\r\n0\r\n\r\n", "400"],
  ["a coding behind chunks", ["Transfer-Encoding: chunked, gzip"], "4\r\nabcd\r\n0\r\n\r\n", "400"],
  ["a chunk of no size", ["Transfer-Encoding: chunked"], "zz\r\nabcd\r\n0\r\n\r\n", "400"],
  ["a chunk beyond all sizes", ["Transfer-Encoding: chunked"], "ffffffffffffffffff\r\nabcd", "400"],
])(
  "a body with %s is refused, and nothing behind it is taken for a request",
  async (_name, headers, body, expected) => {
    const hidden = `POST /api/sessions/${marker}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx`;
    expect(await answerTo(portOf(open), post(headers, body + hidden))).toBe(expected);
    expect(await answerTo(portOf(open), get(`/api/sessions/${marker}`))).toBe("404 session_not_found");
    expect(await answerTo(portOf(open), get("/api/sessions/crooked"))).toBe("404 session_not_found");
  },
);

test("what is no HTTP is refused", async () => {
  for (const bytes of [
    "\u0016\u0003\u0001\u0002\0\u0001",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /api/stats\r\n\r\n",
    "\r\n\r\n\r\nhello\r\n\r\n",
  ])
    expect(await answerTo(portOf(open), bytes)).toMatch(/^(400|505|closed)$/);
  expect(await answerTo(portOf(open), get("/healthz"))).toBe("200");
});

describe("a page of another origin", () => {
  const bodies: [string, string][] = [
    ["text/plain", "from another page"],
    ["text/plain;charset=UTF-8", `{"content":"from another page"}`],
    ["application/json", `{"content":"from another page"}`],
    ["application/x-ndjson", `{"content":"from another page"}`],
    ["application/x-www-form-urlencoded", "content=from+another+page"],
    [
      "multipart/form-data; boundary=b",
      '--b\r\nContent-Disposition: form-data; name="content"\r\n\r\nx\r\n--b--\r\n',
    ],
    ["", "from another page"],
  ];
  const senders: readonly string[][] = [
    ["Origin: https://example.com"],
    ["Origin: null"],
    ["Origin: http://localhost:3000"],
    ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"],
    ["Sec-Fetch-Site: same-site"],
    ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
  ];
  const targets = [
    ["POST", "/api/sessions/crossed/messages"],
    ["POST", "/hooks/claude-code"],
    ["POST", "/api/daemon/stop"],
    ["PATCH", "/api/settings"],
  ] as const;

  test.each(bodies)("posts nothing as %j", async (type, body) => {
    for (const sender of senders)
      for (const [method, target] of targets) {
        const headers = [...(type === "" ? [] : [`Content-Type: ${type}`]), `Content-Length: ${body.length}`];
        const request = head(`${method} ${target} HTTP/1.1`, [...headers, ...sender]) + body;
        expect(await answerTo(portOf(open), request)).toBe("403 forbidden_origin");
      }
    expect(await answerTo(portOf(open), get("/api/sessions/crossed"))).toBe("404 session_not_found");
  });

  test("is given no leave to ask by a preflight", async () => {
    const headers = ["Origin: https://example.com", "Access-Control-Request-Method: PATCH"];
    expect(await answerTo(portOf(open), head("OPTIONS /api/settings HTTP/1.1", headers))).toBe(
      "403 forbidden_origin",
    );
  });

  test("cannot have its name rebound to this machine", async () => {
    for (const host of [
      "example.com",
      "localhost.example.com",
      "127.0.0.1.example.com",
      "example.com:80",
      "0.0.0.0",
    ])
      for (const target of ["/api/settings", "/healthz", "/", "/metrics", "/api/events"])
        expect(await answerTo(portOf(open), get(target, [`Host: ${host}`]))).toBe("403 forbidden_host");
  });
});
