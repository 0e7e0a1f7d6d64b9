import { ApiError } from "../../src/dashboard/link/api.ts";
import type { DaemonApp } from "../http/daemon-app.ts";

/** What the page asks the daemon, asked of an app in this process; `asked` are the paths, in order. */
export class DaemonApi {
  readonly asked: string[] = [];
  readonly #app: DaemonApp;

  constructor(app: DaemonApp) {
    this.#app = app;
  }

  async get<T>(path: string): Promise<T> {
    this.asked.push(path);
    const response = await this.#app.ask(`/${path}`);
    if (!response.ok) throw new ApiError(response.status, await response.json());
    return response.json();
  }
}
