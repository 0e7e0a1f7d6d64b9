import prompt from "../agents/prompt.md" with { type: "text" };

/** The built-in default of `agents.prompt`: how a provider is told to follow a coding agent's work. */
export const builtInAgentPrompt = prompt.trim();
