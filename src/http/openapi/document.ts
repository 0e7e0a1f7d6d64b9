import { type ErrorCode, SegueError } from "../../core/errors.ts";
import { problemShape } from "../answers.ts";
import { daemonOperations } from "./daemon.ts";
import { messageOperations } from "./messages.ts";
import type { Answer, Operation, Operations } from "./operation.ts";
import { mediaObject, namedSchemas, schemaOf } from "./schemas.ts";
import { sessionOperations } from "./sessions.ts";
import { settingsOperations } from "./settings.ts";

/** Every call of the interface. */
const operations: Operations = {
  ...sessionOperations,
  ...messageOperations,
  ...settingsOperations,
  ...daemonOperations,
};

/** What is answered whoever asks. */
const openPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/openapi.json"]);

/** The interface as an OpenAPI 3.1 document, made of the schemas by which the routes judge. */
export function openApiDocument(version: string): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Segue",
      version,
      description: "A daemon that keeps long LLM sessions working while their settings change.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths: Object.fromEntries(
      Object.entries(operations).map(([path, methods]) => [
        path.replaceAll(/:(\w+)/g, "{$1}"),
        pathItem(path, methods),
      ]),
    ),
    components: {
      schemas: namedSchemas(),
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "server.token, where one is set; not on the socket.",
        },
      },
    },
  };
}

function pathItem(path: string, methods: Operations[string]): object {
  return Object.fromEntries(
    Object.entries(methods).map(([method, operation]) => [
      method.toLowerCase(),
      operationObject(path, method, operation),
    ]),
  );
}

function operationObject(path: string, method: string, operation: Operation): object {
  const { summary, body, isBodyOptional, answers } = operation;
  const parameters = [...pathParameters(path), ...queryParameters(operation), ...headerParameters(operation)];
  return {
    operationId: operationId(path, method),
    summary,
    security: openPaths.has(path) ? [] : [{}, { token: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: { required: isBodyOptional !== true, content: contentObject(body) },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, answerObject(answer)]),
      ),
      ...problemObjects(codesOf(path, operation)),
    },
  };
}

/** As `postSessionsIdMessages`. */
function operationId(path: string, method: string): string {
  const words = path.replace(/^\/api/, "").match(/[A-Za-z]+/g) ?? [];
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$" },
  }));
}

function queryParameters({ query }: Operation): object[] {
  return Object.entries(query?.entries ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: false,
    schema: schemaOf("wrapped" in schema ? schema.wrapped : schema),
  }));
}

function headerParameters({ headers = {} }: Operation): object[] {
  // OpenAPI passes over a parameter that is named Accept.
  return Object.entries(headers)
    .filter(([name]) => name !== "Accept")
    .map(([name, description]) => ({
      name,
      in: "header",
      required: false,
      description,
      schema: { type: "string" },
    }));
}

function contentObject(content: NonNullable<Operation["body"]>): object {
  return Object.fromEntries(Object.entries(content).map(([type, held]) => [type, mediaObject(held)]));
}

function answerObject({ says, content, headers }: Answer): object {
  return {
    description: says,
    ...(headers && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, description]) => [
          name,
          { description, schema: { type: "string" } },
        ]),
      ),
    }),
    ...(content && { content: contentObject(content) }),
  };
}

/** Every refusal that a call can answer. */
function codesOf(path: string, { body, codes = [] }: Operation): Set<ErrorCode> {
  const found = new Set<ErrorCode>(codes);
  const add = (condition: boolean, ...more: ErrorCode[]): void => {
    if (condition) for (const code of more) found.add(code);
  };
  add(true, "malformed", "forbidden_host", "forbidden_origin");
  add(!openPaths.has(path), "unauthorized", "internal", "storage");
  add(body !== undefined, "too_large", "too_many_pending", "unsupported_media_type");
  add(body !== undefined && body["application/json"] !== "json", "invalid");
  return found;
}

function problemObjects(codes: ReadonlySet<ErrorCode>): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => new SegueError(code, "").status);
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      String(status),
      {
        description: of.map((code) => `\`${code}\`: ${new SegueError(code, "").title}.`).join(" "),
        content: {
          "application/problem+json": {
            schema: { allOf: [schemaOf(problemShape), { properties: { code: { enum: of } } }] },
          },
        },
      },
    ]),
  );
}
