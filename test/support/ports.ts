import { createServer, type Server } from "node:net";

const held = new Set<Server>();

/** A port of the loopback address that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = await listen(0);
  const port = portOf(server);
  await close(server);
  return port;
}

/** A port of the loopback address on which something else listens until the end of the test. */
export async function takenPort(): Promise<number> {
  const server = await listen(0);
  held.add(server);
  return portOf(server);
}

/** Lets every taken port go. */
export async function releasePorts(): Promise<void> {
  await Promise.all(Array.from(held, close));
  held.clear();
}

function listen(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a server on a port has no port");
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
