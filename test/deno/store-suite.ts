import { afterEach } from "bun:test";
import { storeConformance } from "../store/conformance.ts";
import { closeStores, openOnDisk } from "../store/disk-store.ts";
import { removeFolders } from "../support/workspace.ts";

afterEach(async () => {
  await closeStores();
  removeFolders("test");
});

storeConformance("SQLite on disk, under Deno", () => openOnDisk());
