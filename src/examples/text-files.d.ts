/** Examples are embedded as text (`import text from "./chat.sh" with { type: "text" }`). */
declare module "*.sh" {
  const text: string;
  export default text;
}

declare module "*.service" {
  const text: string;
  export default text;
}

declare module "*.yml" {
  const text: string;
  export default text;
}

declare module "*.jsonc" {
  const text: string;
  export default text;
}

declare module "*/Containerfile" {
  const text: string;
  export default text;
}
