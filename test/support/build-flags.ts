import manifest from "../../package.json";

/** The flags of the script `build`, read from there so that they stay the same, without what it defines. */
export function buildFlags(): string[] {
  const [, flags] = /\bbun build (.*?) --outfile /.exec(manifest.scripts.build) ?? [];
  if (flags === undefined)
    throw new Error("the script `build` of package.json has no `bun build … --outfile …`");
  const words = flags.split(/\s+/);
  return words.filter((word, index) => word !== "--define" && words[index - 1] !== "--define");
}
