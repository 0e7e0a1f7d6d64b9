/** Markdown files are embedded as text (`import text from "./prompt.md" with { type: "text" }`). */
declare module "*.md" {
  const text: string;
  export default text;
}
