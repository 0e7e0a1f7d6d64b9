import { expect, test } from "bun:test";
import { apiUrl, isOpenAI, type WireKind } from "../../src/providers/endpoint.ts";

const table: readonly [kind: WireKind, baseUrl: string, url: string][] = [
  ["claude", "https://api.anthropic.com", "https://api.anthropic.com/v1"],
  ["claude", "https://api.anthropic.com/", "https://api.anthropic.com/v1"],
  ["claude", "https://api.anthropic.com/v1", "https://api.anthropic.com/v1"],
  ["claude", "https://api.anthropic.com/v1/", "https://api.anthropic.com/v1"],
  ["claude", "http://gateway:8080/anthropic", "http://gateway:8080/anthropic/v1"],
  ["claude", "http://gateway:8080/anthropic/v2beta1", "http://gateway:8080/anthropic/v2beta1"],
  ["claude", "http://gateway/v1x", "http://gateway/v1x/v1"],
  ["claude", "http://gateway/dev1", "http://gateway/dev1/v1"],
  ["gemini", "https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com/v1beta"],
  ["gemini", "http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"],
  ["gemini", "http://127.0.0.1:9/v1beta/", "http://127.0.0.1:9/v1beta"],
  ["gemini", "http://127.0.0.1:9/v1alpha", "http://127.0.0.1:9/v1alpha"],
  ["gemini", "http://127.0.0.1:9/google", "http://127.0.0.1:9/google/v1beta"],
  ["openai", "https://api.openai.com", "https://api.openai.com/v1"],
  ["openai", "http://localhost:11434", "http://localhost:11434/v1"],
  ["openai", "http://localhost:11434//", "http://localhost:11434/v1"],
  ["openai", "https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"],
  ["openai", "https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"],
  ["openai", "https://openrouter.ai/api/v1/chat/completions/", "https://openrouter.ai/api/v1"],
  ["openai", "http://localhost:11434/chat/completions", "http://localhost:11434/v1"],
  ["openai", "https://host/any/path", "https://host/any/path"],
  ["openai", "http://[::1]:8080", "http://[::1]:8080/v1"],
];

test.each(table)("%s at %s is called under %s", (kind, baseUrl, url) => {
  expect(apiUrl(kind, baseUrl)).toBe(url);
});

test("only OpenAI's own host is OpenAI", () => {
  expect(isOpenAI("https://api.openai.com/v1")).toBe(true);
  expect(isOpenAI("https://api.openai.com.example.org/v1")).toBe(false);
  expect(isOpenAI("http://api.openai.com/v1")).toBe(false);
  expect(isOpenAI("http://localhost:11434/v1")).toBe(false);
});
