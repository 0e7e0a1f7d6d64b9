import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Bundles the dashboard, as text. It runs as a macro: while the program is built, or when it runs from source the
 * first time the page is asked for; the built program holds the texts alone. A process of its own, because the bundler
 * cannot wait for itself (Bun 1.4.5 refuses `Bun.build` in a macro).
 */
export function bundlePage(): { html: string; script: string; style: string; icon: string } {
  const source = join(import.meta.dir, "..", "dashboard");
  const folder = mkdtempSync(join(tmpdir(), "segue-page-"));
  try {
    const command = [
      "build",
      join(source, "page.tsx"),
      "--production",
      "--target=browser",
      "--outdir",
      folder,
    ];
    // `--production` minifies; without NODE_ENV the JSX would still be that of development.
    const env = { ...process.env, NODE_ENV: "production" };
    const built = Bun.spawnSync([process.execPath, ...command], { env, stdout: "ignore", stderr: "pipe" });
    if (!built.success) throw new Error(`the dashboard cannot be bundled: ${built.stderr.toString()}`);
    return {
      html: readFileSync(join(source, "page.html"), "utf8"),
      script: readFileSync(join(folder, "page.js"), "utf8"),
      style: readFileSync(join(folder, "page.css"), "utf8"),
      icon: readFileSync(join(source, "icon.svg"), "utf8"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
