import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * The least that changes a file by PATCH: what came is merged into it, and it is replaced in one step, durably, as
 * Segue does it: `bare-patch PORT FILE`.
 */
const [, , port = "0", file = ""] = process.argv;

async function replace(text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w", 0o600);
  await handle.writeFile(text);
  await handle.sync();
  await handle.close();
  await rename(temporary, file);
  const folder = await open(dirname(file), "r");
  await folder.sync();
  await folder.close();
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch: async (request) => {
    const present: object = JSON.parse(await readFile(file, "utf8"));
    const patch: object = await request.json();
    await replace(JSON.stringify({ ...present, ...patch }, null, 2));
    return Response.json({ written: true });
  },
});
console.log(`listening on http://127.0.0.1:${server.port}`);
