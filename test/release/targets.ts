import { spawnSync } from "node:child_process";

/** A system that Segue is released for. */
export interface Target {
  /** As archives are named. */
  name: string;
  /** Bun's own name of it. */
  bunTarget: string;
  /** The package that holds Bun for it, at the version that builds. */
  runtimePackage: string;
  /** Of that package at `bunVersion`, as the registry has it (Subresource Integrity). */
  integrity: string;
  /** Whether Bun leaves it with a signature that does not match. */
  isToBeSigned?: true;
}

/** The version of Bun that the sums below are of; no other one builds a release. */
export const bunVersion = "1.4.5";

/** All of them, in the order of the sums. */
export const targets: readonly Target[] = [
  {
    name: "linux-arm64",
    bunTarget: "bun-linux-arm64",
    runtimePackage: "@oven/bun-linux-aarch64",
    integrity:
      "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
  },
  {
    name: "linux-arm64-musl",
    bunTarget: "bun-linux-arm64-musl",
    runtimePackage: "@oven/bun-linux-aarch64-musl",
    integrity:
      "sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==",
  },
  {
    name: "linux-x64",
    bunTarget: "bun-linux-x64",
    runtimePackage: "@oven/bun-linux-x64",
    integrity:
      "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
  },
  {
    name: "linux-x64-musl",
    bunTarget: "bun-linux-x64-musl",
    runtimePackage: "@oven/bun-linux-x64-musl",
    integrity:
      "sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==",
  },
  {
    name: "macos-arm64",
    bunTarget: "bun-darwin-arm64",
    runtimePackage: "@oven/bun-darwin-aarch64",
    integrity:
      "sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==",
  },
  {
    name: "macos-x64",
    isToBeSigned: true,
    bunTarget: "bun-darwin-x64",
    runtimePackage: "@oven/bun-darwin-x64",
    integrity:
      "sha512-qkLPMGHZM9NI6CeHTWwVezzmlo6cC4Ta7yUAjYIWXS366qQcOlcp75t2uZyiuVRBMPS0h9qE0tCcvCHGaFqjJg==",
  },
];

/** The target of this name; throws where there is none. */
export function targetNamed(name: string): Target {
  const found = targets.find((target) => target.name === name);
  if (found) return found;
  const known = targets.map((target) => target.name).join(", ");
  throw new Error(`there is no target ${name}; known are ${known}`);
}

/** The name of what this machine is, as targets are named. */
export function hostName(): string {
  const system = process.platform === "darwin" ? "macos" : process.platform;
  const hasGlibc = spawnSync("getconf", ["GNU_LIBC_VERSION"]).status === 0;
  return `${system}-${process.arch}${system === "linux" && !hasGlibc ? "-musl" : ""}`;
}
