import containerfile from "./Containerfile" with { type: "text" };
import alerts from "./alerts.yml" with { type: "text" };
import chat from "./chat.sh" with { type: "text" };
import codingAgent from "./coding-agent.sh" with { type: "text" };
import fromClaudeMem from "./from-claude-mem.sh" with { type: "text" };
import gitLog from "./git-log.sh" with { type: "text" };
import install from "./install.sh" with { type: "text" };
import type { ExampleName } from "./names.ts";
import rotateKey from "./rotate-key.sh" with { type: "text" };
import userService from "./segue-user.service" with { type: "text" };
import service from "./segue.service" with { type: "text" };
import twoProviders from "./two-providers.jsonc" with { type: "text" };
import watchEvents from "./watch-events.sh" with { type: "text" };

/** What each example says, to the byte. */
export const exampleTexts: Readonly<Record<ExampleName, string>> = {
  "install.sh": install,
  "segue.service": service,
  "segue-user.service": userService,
  Containerfile: containerfile,
  "alerts.yml": alerts,
  "chat.sh": chat,
  "git-log.sh": gitLog,
  "watch-events.sh": watchEvents,
  "coding-agent.sh": codingAgent,
  "two-providers.jsonc": twoProviders,
  "rotate-key.sh": rotateKey,
  "from-claude-mem.sh": fromClaudeMem,
};
