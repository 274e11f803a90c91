/** The generated client, with a count of its calls. */
import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./api.js";

export type Schemas = components["schemas"];

/** The token that a request carries. A signed-in person has an access token, an attempt has a token of its own. */
export interface Api extends Client<paths> {
  calls(): number;
}

export function connect(baseUrl: string, token?: string): Api {
  let calls = 0;
  const client = createClient<paths>({
    baseUrl,
    ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
  });
  client.use({
    onRequest() {
      calls += 1;
      return undefined;
    },
  });
  return Object.assign(client, { calls: () => calls });
}

/** An answer that is a problem document. `P` has the codes of the operation. */
export class Refused<P extends { code: string; detail: string }> extends Error {
  constructor(readonly problem: P) {
    super(`${problem.code}: ${problem.detail}`);
  }
}

interface Answer<T, E> {
  data?: T;
  error?: E;
}

/** The data of an answer, or an error that has its problem document. */
export function dataOf<T, E>(answer: Answer<T, E>): NonNullable<T> {
  if (answer.data === undefined || answer.data === null) {
    throw new Refused(answer.error as { code: string; detail: string });
  }
  return answer.data;
}

/** A variable of the environment that the test sets. */
export function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** Registers somebody and returns the access token. */
export async function registered(baseUrl: string, name: string): Promise<string> {
  const body = { email: `${crypto.randomUUID()}@example.org`, password: "testpassword", name };
  const account = dataOf(await connect(baseUrl).POST("/v1/auth/register", { body }));
  if (!account.access_token) throw new Error("no token");
  return account.access_token;
}

/** A text in the language of the reader, or in the first one that it has. */
export function inLanguage(text: Schemas["LocalizedText"], language: string): string {
  return text[language] ?? Object.values(text)[0] ?? "";
}
