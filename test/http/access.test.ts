import { describe, expect, test } from "bun:test";
import { SegueError } from "../../src/core/errors.ts";
import { requireAccess, type Transport } from "../../src/http/access.ts";

const own = "127.0.0.1:4747";

interface Coming {
  transport?: Transport;
  token?: string;
  method?: string;
  path?: string;
  headers?: Record<string, string>;
}

/** `allowed`, or the code of the refusal. */
function verdict({ transport = "tcp", token, method = "GET", path = "/api/stats", headers }: Coming): string {
  const request = new Request(`http://${own}${path}`, { method, headers: { Host: own, ...headers } });
  try {
    requireAccess(request, transport, token);
    return "allowed";
  } catch (thrown) {
    if (thrown instanceof SegueError) return thrown.code;
    throw thrown;
  }
}

const hosts: [string, string][] = [
  ["127.0.0.1", "allowed"],
  ["127.0.0.1:4747", "allowed"],
  ["127.8.9.10:80", "allowed"],
  ["localhost", "allowed"],
  ["LOCALHOST:4747", "allowed"],
  ["[::1]", "allowed"],
  ["[::1]:4747", "allowed"],
  ["", "forbidden_host"],
  ["example.com", "forbidden_host"],
  ["example.com:4747", "forbidden_host"],
  ["localhost.example.com", "forbidden_host"],
  ["127.0.0.1.example.com", "forbidden_host"],
  ["example.localhost", "forbidden_host"],
  ["127.0.0.1@example.com", "forbidden_host"],
  ["127.0.0.1:example.com", "forbidden_host"],
  ["127.1", "forbidden_host"],
  ["2130706433", "forbidden_host"],
  ["0.0.0.0", "forbidden_host"],
  ["192.0.2.1:4747", "forbidden_host"],
  ["[::]:4747", "forbidden_host"],
  ["[::ffff:192.0.2.1]", "forbidden_host"],
];

const origins: [string, string][] = [
  [`http://${own}`, "allowed"],
  ["null", "forbidden_origin"],
  [`https://${own}`, "forbidden_origin"],
  ["http://127.0.0.1", "forbidden_origin"],
  ["http://127.0.0.1:3000", "forbidden_origin"],
  ["http://localhost:4747", "forbidden_origin"],
  ["http://example.com", "forbidden_origin"],
  [`http://${own}.example.com`, "forbidden_origin"],
];

const navigation = {
  "Sec-Fetch-Site": "cross-site",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
};

const sites: [string, Coming, string][] = [
  ["of the same origin", { headers: { "Sec-Fetch-Site": "same-origin" } }, "allowed"],
  ["of the user", { headers: { "Sec-Fetch-Site": "none" } }, "allowed"],
  ["of the same site", { headers: { "Sec-Fetch-Site": "same-site" } }, "forbidden_origin"],
  ["of another site", { headers: { "Sec-Fetch-Site": "cross-site" } }, "forbidden_origin"],
  ["of another site, to navigate there", { headers: navigation }, "allowed"],
  ["of another site, to post there", { method: "POST", headers: navigation }, "forbidden_origin"],
  [
    "of another site, into a frame",
    { headers: { ...navigation, "Sec-Fetch-Dest": "iframe" } },
    "forbidden_origin",
  ],
  [
    "of another site, as an image",
    { headers: { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" } },
    "forbidden_origin",
  ],
];

describe("over TCP without a token", () => {
  test.each(hosts)("Host %j: %s", (host, expected) => {
    expect(verdict({ headers: { Host: host } })).toBe(expected);
  });

  test("a request that names no host is refused", () => {
    const request = new Request(`http://${own}/api/stats`);
    request.headers.delete("Host");
    expect(() => requireAccess(request, "tcp", undefined)).toThrow("localhost and loopback");
  });

  test.each(origins)("Origin %j: %s", (origin, expected) => {
    expect(verdict({ headers: { Origin: origin } })).toBe(expected);
    expect(verdict({ method: "POST", headers: { Origin: origin } })).toBe(expected);
  });

  test.each(sites)("a request %s: %#", (_name, coming, expected) => {
    expect(verdict(coming)).toBe(expected);
  });

  test("a foreign origin is refused on an allowed site, and the other way round", () => {
    const site = { "Sec-Fetch-Site": "same-origin" };
    expect(verdict({ headers: { ...site, Origin: "http://example.com" } })).toBe("forbidden_origin");
    expect(verdict({ headers: { "Sec-Fetch-Site": "cross-site", Origin: `http://${own}` } })).toBe(
      "forbidden_origin",
    );
  });

  test("a foreign host is refused on every path", () => {
    for (const path of ["/healthz", "/readyz", "/", "/nothing"])
      expect(verdict({ path, headers: { Host: "example.com" } })).toBe("forbidden_host");
  });
});

describe("over TCP with a token", () => {
  const token = "s3cret-token";

  test("the dashboard's files are open, and no path like theirs is", () => {
    for (const path of ["/", "/dashboard.js", "/dashboard.css", "/dashboard.svg"])
      expect(verdict({ token, path })).toBe("allowed");
    for (const path of ["/dashboard", "/dashboard.js/", "//", "/dashboard.js%2f", "/api/dashboard.js"])
      expect(verdict({ token, path })).toBe("unauthorized");
  });

  const authorizations: [string, string][] = [
    [`Bearer ${token}`, "allowed"],
    [`bearer ${token}`, "allowed"],
    [`Bearer   ${token}`, "allowed"],
    ["", "unauthorized"],
    ["Bearer", "unauthorized"],
    ["Bearer ", "unauthorized"],
    [token, "unauthorized"],
    [`Basic ${token}`, "unauthorized"],
    [`Bearer ${token}x`, "unauthorized"],
    [`Bearer ${token.slice(0, -1)}`, "unauthorized"],
    [`Bearer ${token.toUpperCase()}`, "unauthorized"],
    [`Bearer ${token} ${token}`, "unauthorized"],
  ];

  test.each(authorizations)("Authorization %j: %s", (authorization, expected) => {
    expect(verdict({ token, headers: { Authorization: authorization } })).toBe(expected);
  });

  test("any host may be named, and any origin", () => {
    const headers = {
      Authorization: `Bearer ${token}`,
      Host: "segue.example.com",
      Origin: "https://example.com",
    };
    expect(verdict({ token, headers })).toBe("allowed");
  });

  test.each(["/healthz", "/readyz"])("%s needs none", (path) => {
    expect(verdict({ token, path, headers: { Host: "segue.example.com" } })).toBe("allowed");
  });

  test.each(["/healthz/", "/healthzz", "/api/healthz", "/nothing", "/api/events"])("%s needs it", (path) => {
    expect(verdict({ token, path })).toBe("unauthorized");
  });

  test("a refusal tells nothing of the token", () => {
    const request = new Request(`http://${own}/api/stats`, { headers: { Authorization: "Bearer guess" } });
    expect(() => requireAccess(request, "tcp", token)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(token) }),
    );
  });
});

test("over the socket nothing of it is asked", () => {
  const headers = { Host: "example.com", Origin: "http://example.com", "Sec-Fetch-Site": "cross-site" };
  expect(verdict({ transport: "socket", headers })).toBe("allowed");
  expect(verdict({ transport: "socket", token: "s3cret-token", headers })).toBe("allowed");
});
