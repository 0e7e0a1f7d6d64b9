import { bundlePage } from "./page-bundle.ts" with { type: "macro" };

/** The files of the dashboard, bundled. */
export const page = bundlePage();
