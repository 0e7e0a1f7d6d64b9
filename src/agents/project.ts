import { posix } from "node:path";
import picomatch from "picomatch";

/**
 * Whether a project's folder is one of `agents.exclude`, or lies in one. A glob without a slash stands for the name of
 * a folder wherever it is; `~` at the start for the home folder.
 */
export function isExcluded(folder: string, globs: readonly string[], home: string): boolean {
  if (folder === "" || globs.length === 0) return false;
  const matches = globs.flatMap((glob) => (glob.trim() === "" ? [] : [matcherOf(glob.trim(), home)]));
  return foldersAbove(folder).some((path) => matches.some((isMatch) => isMatch(path)));
}

function matcherOf(glob: string, home: string): (path: string) => boolean {
  const options = { dot: true };
  const slashed = glob.length > 1 ? glob.replace(/\/+$/, "") : glob;
  if (!slashed.includes("/") && slashed !== "~") {
    const isName = picomatch(slashed, options);
    return (path) => isName(posix.basename(path));
  }
  const isHome = slashed === "~" || slashed.startsWith("~/");
  // The home folder is a path, not a glob: it is compared as it is.
  if (!isHome) return picomatch(slashed, options);
  const below = slashed.slice(2);
  const isBelow = below === "" ? undefined : picomatch(below, options);
  return (path) => {
    if (path === home) return below === "" || below === "**";
    return path.startsWith(`${home}/`) && (isBelow?.(path.slice(home.length + 1)) ?? true);
  };
}

/** The folder and those it lies in, up to the root. */
function foldersAbove(folder: string): string[] {
  const paths: string[] = [];
  let path = posix.normalize(folder);
  if (path.length > 1) path = path.replace(/\/+$/, "");
  for (;;) {
    paths.push(path);
    const parent = posix.dirname(path);
    if (parent === path) return paths;
    path = parent;
  }
}
