import { watch } from "node:fs";

/** An open watch on one folder. */
export interface FolderWatch {
  /** Ends the watch; calling it twice does nothing more. */
  close(): void;
}

/** What an open watch tells. */
export interface FolderListener {
  /** Something happened to `name` in the folder, or to the folder itself (null, or the folder's own name). */
  onEvent(name: string | null): void;
  /** The watch broke and tells nothing more. */
  onError(error: unknown): void;
}

/** Opens a watch on the names in one folder, not on those below it. Throws where none can be had. */
export type WatchFolder = (folder: string, listener: FolderListener) => FolderWatch;

/** The operating system's own events. */
export const watchFolder: WatchFolder = (folder, listener) => {
  const watcher = watch(folder, (_kind, name) => listener.onEvent(name));
  watcher.on("error", (error) => listener.onError(error));
  return { close: () => watcher.close() };
};
