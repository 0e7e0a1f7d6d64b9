import * as v from "valibot";

const operation = v.object({
  summary: v.string(),
  parameters: v.optional(v.array(v.object({ name: v.string(), in: v.string() })), []),
  responses: v.record(v.string(), v.object({ description: v.string() })),
});
const apiDocument = v.object({ paths: v.record(v.string(), v.record(v.string(), operation)) });

const head = ["| call | what it does | answers |", "|---|---|---|"];
/** What any call may answer is said once on the page. */
const ofAnyCall = new Set(["400", "401", "403", "413", "415", "429", "500", "503", "507"]);

/** Every call of an OpenAPI document as a table in Markdown. */
export function callsTable(document: object): string {
  const { paths } = v.parse(apiDocument, document);
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => row(method, path, described)),
  );
  return [...head, ...rows, ""].join("\n");
}

function row(
  method: string,
  path: string,
  { summary, parameters, responses }: v.InferOutput<typeof operation>,
): string {
  const query = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  const call = `${method.toUpperCase()} ${path}${query.length > 0 ? `?${query.join("=&")}=` : ""}`;
  const answers = Object.keys(responses).filter((status) => !ofAnyCall.has(status));
  return `| ${[`\`${call}\``, summary, answers.join(", ")].map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
}
