import Ajv, { type ValidateFunction } from "ajv/dist/2020";
import { openApiDocument } from "../../src/http/openapi/document.ts";

/** An operation of the document. */
export interface OperationObject {
  operationId: string;
  parameters?: { name: string; in: string; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

const document: { paths: Record<string, Record<string, OperationObject>>; components: object } = JSON.parse(
  JSON.stringify(openApiDocument("1.2.3")),
);
const ajv = new Ajv({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "document", components: document.components });

/** Every call of the document. */
export const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    method: method.toUpperCase(),
    operation,
  })),
);

const validators = new Map<object, ValidateFunction>();

/** Made once for each schema of the document. */
function validatorOf(schema: object): ValidateFunction {
  const known = validators.get(schema);
  if (known) return known;
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/');
  const validator = ajv.compile(JSON.parse(text));
  validators.set(schema, validator);
  return validator;
}

/** What is wrong with a value by a schema of the document; empty where nothing is. */
function faults(schema: object, value: unknown): string[] {
  const validate = validatorOf(schema);
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** What the document does not say of an answer; empty where it is as the document has it. */
export async function undocumented(operation: OperationObject, response: Response): Promise<string[]> {
  const documented = operation.responses[String(response.status)];
  if (!documented) return [`status ${response.status}: ${await response.text()}`];
  const [type = ""] = (response.headers.get("Content-Type") ?? "").split(";");
  const content = documented.content ?? {};
  if (response.body === null) return Object.keys(content).length === 0 ? [] : ["no body"];
  const media = content[type];
  if (!media) return [`${response.status} as ${type || "nothing"}`];
  if (type === "text/event-stream") return (await response.body.cancel(), []);
  const text = await response.text();
  return type.endsWith("json") ? faults(media.schema, JSON.parse(text)) : [];
}

/** Every code that the document says some call may be refused with. */
export const documentedCodes: ReadonlySet<string> = new Set(
  Array.from(JSON.stringify(document.paths).matchAll(/"code":\{"enum":\[([^\]]*)\]/g)).flatMap(
    ([, list = ""]) => Array.from(list.matchAll(/"(\w+)"/g), ([, code = ""]) => code),
  ),
);
