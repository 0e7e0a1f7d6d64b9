import { readFile, readdir, readlink } from "node:fs/promises";

/** State of a listening socket in /proc/net/tcp (proc_net_tcp, Linux kernel documentation). */
const listening = "0A";

/**
 * Which process of this user listens on a TCP port, as `name (pid N)`; undefined where it cannot be told: not Linux,
 * or another user's process.
 */
export async function holderOfPort(port: number): Promise<string | undefined> {
  try {
    const sockets = new Set<string>();
    for (const table of ["/proc/net/tcp", "/proc/net/tcp6"])
      for (const inode of listeningInodes(await readFile(table, "utf8"), port))
        sockets.add(`socket:[${inode}]`);
    for (const pid of await readdir("/proc"))
      if (/^\d+$/.test(pid) && (await hasOpen(pid, sockets)))
        return `${(await readFile(`/proc/${pid}/comm`, "utf8")).trim()} (pid ${pid})`;
  } catch {
    // No /proc, or the process has just gone: nothing can be told.
  }
  return undefined;
}

function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const isHolder = columns[3] === listening && columns[1]?.endsWith(`:${wanted}`) === true;
    return isHolder && columns[9] !== undefined ? [columns[9]] : [];
  });
}

async function hasOpen(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  try {
    for (const handle of await readdir(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${handle}`).catch(() => "");
      if (sockets.has(target)) return true;
    }
  } catch {
    // Another user's process.
  }
  return false;
}
