import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import manifest from "../../package.json";
import { readPage } from "../guide/page.ts";
import { runPage } from "../guide/page-run.ts";
import { writeArchive, writeSums } from "../release/archive.ts";
import { hostName } from "../release/targets.ts";
import { ensureBinary, projectFolder } from "../support/binary.ts";
import { cleanEnv, runChild, type Ending } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";

setDefaultTimeout(60_000);

const hasTools = ["sha256sum", "tar", "curl", "jq"].every((name) => Bun.which(name) !== null);

const source = { version: manifest.version, commit: "unknown", madeAt: new Date("2026-01-02T03:04:05Z") };

/** A folder with what is downloaded, and nothing else: an archive of this program for this machine, and its sum. */
async function download(program: string): Promise<{ folder: string; archive: string }> {
  const made = await writeArchive(
    { name: hostName(), program, isRun: true, source, level: 1 },
    makeFolder("made"),
  );
  const folder = makeFolder("download");
  const archive = join(folder, basename(made));
  renameSync(made, archive);
  writeSums([archive], folder);
  return { folder, archive };
}

test.skipIf(!hasTools)("an empty folder, an archive and the README: from the sum to the switch", async () => {
  const { folder, archive } = await download(await ensureBinary());
  const began = performance.now();
  const outcomes = await runPage(readPage("README.md"), folder);
  const seconds = (performance.now() - began) / 1000;
  expect(outcomes.flatMap(({ problem }) => problem ?? [])).toEqual([]);
  expect(outcomes[0]?.printed).toContain(`${basename(archive)}: OK`);
  // Shown, not judged: it should be under a minute.
  const transcript = outcomes.map(({ block, printed }) =>
    printed === "" ? "" : `${block.text}\n${printed}`,
  );
  console.log(
    `${transcript.join("")}verified, unpacked, served, asked and switched in ${seconds.toFixed(1)} s`,
  );
});

describe("install.sh", () => {
  function install(
    folder: string,
    args: readonly string[] = [],
    more: Record<string, string> = {},
  ): Promise<Ending & { stdout: string; stderr: string }> {
    const home = makeFolder("home");
    return runChild({
      command: ["sh", join(folder, "install.sh"), ...args],
      cwd: home,
      env: cleanEnv(home, { PREFIX: join(folder, "prefix"), ...more }),
    });
  }

  /** A download with the script, of a program that takes little room. */
  async function downloadWithScript(): Promise<{ folder: string; archive: string }> {
    const program = join(makeFolder("program"), "segue");
    writeFileSync(program, `#!/bin/sh\necho "${manifest.version}"\n`);
    const downloaded = await download(program);
    copyFileSync(join(projectFolder, "src", "examples", "install.sh"), join(downloaded.folder, "install.sh"));
    return downloaded;
  }

  test("puts program, completions and texts in their places, also over a program that runs", async () => {
    const { folder } = await downloadWithScript();
    const program = join(folder, "prefix", "bin", "segue");
    const first = await install(folder);
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(first.stdout).toContain(`Installed Segue ${manifest.version} as ${program}`);
    expect(first.stdout).toContain("not in your PATH");
    expect(statSync(program).mode & 0o777).toBe(0o755);
    for (const place of [
      "share/bash-completion/completions/segue",
      "share/zsh/site-functions/_segue",
      "share/fish/vendor_completions.d/segue.fish",
      "share/doc/segue/README.md",
      "share/doc/segue/LICENSE",
      "share/doc/segue/THIRD-PARTY-NOTICES.md",
    ])
      expect(statSync(join(folder, "prefix", place)).mode & 0o777).toBe(0o644);
    // A file of its own takes its place: what runs keeps the one it was started from.
    const running = openSync(program, "r");
    expect(await install(folder, [folder])).toMatchObject({ exitCode: 0 });
    expect(fstatSync(running).nlink).toBe(0);
    closeSync(running);
  });

  test("installs nothing of an archive that does not match its sum", async () => {
    const { folder, archive } = await downloadWithScript();
    appendFileSync(archive, "x");
    const run = await install(folder);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(`${basename(archive)} does not match its sum; nothing was installed`);
    expect(existsSync(join(folder, "prefix"))).toBe(false);
  });

  test("says so where there is no archive for this machine, no sums, or no safe way to fetch them", async () => {
    const { folder } = await downloadWithScript();
    const sums = join(folder, "SHA256SUMS");
    const line = readFileSync(sums, "utf8");
    writeFileSync(sums, line.replace(hostName(), "amiga-m68k"));
    expect((await install(folder)).stderr).toContain(`SHA256SUMS names no archive for ${hostName()}`);
    writeFileSync(sums, line + line.replace(manifest.version, "99.0.0"));
    expect((await install(folder)).stderr).toContain("SHA256SUMS names several archives");
    expect((await install(folder, [dirname(folder)])).stderr).toContain("there is no SHA256SUMS in");
    expect((await install(folder, ["http://127.0.0.1:1/"])).stderr).toContain("fetch over https");
    expect(existsSync(join(folder, "prefix"))).toBe(false);
  });

  test.skipIf(!Bun.which("openssl") || !Bun.which("curl"))(
    "fetches sums and archive over https, and nothing from a server that it cannot trust",
    async () => {
      const { folder } = await downloadWithScript();
      const key = join(folder, "key.pem");
      const cert = join(folder, "cert.pem");
      const named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      const making = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
      const command = [...making, "-nodes", "-days", "2", ...named, "-keyout", key, "-out", cert];
      expect(await runChild({ command, env: cleanEnv(folder) })).toMatchObject({ exitCode: 0 });
      const server = Bun.serve({
        port: 0,
        tls: { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") },
        fetch: (request) => new Response(Bun.file(join(folder, new URL(request.url).pathname))),
      });
      try {
        const from = `https://localhost:${server.port}/`;
        expect((await install(folder, [from])).stderr).toContain("SHA256SUMS could not be fetched from");
        const trusting = await install(folder, [from], { CURL_CA_BUNDLE: cert });
        expect(trusting).toMatchObject({ exitCode: 0, stderr: "" });
        expect(existsSync(join(folder, "prefix", "bin", "segue"))).toBe(true);
      } finally {
        await server.stop(true);
      }
    },
  );
});
