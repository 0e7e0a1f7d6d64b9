import { requestBytes } from "./connection.ts";
import { load } from "./load.ts";
import type { Server } from "./server.ts";

const connections = 8;

/** Makes sessions `NAME-0` and on; each is loaded from then on, idle. */
export async function makeSessions({ port }: Server, name: string, count: number): Promise<void> {
  let index = 0;
  const next = (): Uint8Array | undefined => {
    if (index === count) return undefined;
    const text = JSON.stringify({ id: `${name}-${index++}` });
    return requestBytes(port, "POST", "/api/sessions", { type: "application/json", text });
  };
  await load({ port, connections, status: 201, next });
}
