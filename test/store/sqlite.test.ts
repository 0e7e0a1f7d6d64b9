import { afterEach } from "bun:test";
import { storeConformance } from "./conformance.ts";
import { closeStores, openOnDisk } from "./disk-store.ts";

afterEach(closeStores);

storeConformance("SQLite on disk", () => openOnDisk());
