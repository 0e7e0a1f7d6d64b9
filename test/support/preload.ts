import { afterEach } from "bun:test";
import { removeFolders } from "./workspace.ts";

afterEach(() => {
  removeFolders();
});
