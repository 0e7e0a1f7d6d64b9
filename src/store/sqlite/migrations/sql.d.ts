/** SQL files are embedded as text (`import sql from "./0001-first.sql" with { type: "text" }`). */
declare module "*.sql" {
  const text: string;
  export default text;
}
