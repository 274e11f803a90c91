/** The list of tests: one call. */
import { dataOf, inLanguage, type Api, type Schemas } from "../client.js";

export interface ListRow {
  title: string;
  facts: string;
}

export function rowOf(test: Schemas["TestOut"], language: string): ListRow {
  const minutes = Math.round(test.duration_seconds / 60);
  return {
    title: inLanguage(test.title, language),
    facts: [
      `${test.question_count} questions, ${minutes} min, ${test.max_marks} marks`,
      ...(test.my.best_score === null ? [] : [`best ${test.my.best_score}`]),
    ].join(", "),
  };
}

export async function listScreen(api: Api, language: string, query: string): Promise<string[]> {
  const page = dataOf(await api.GET("/v1/tests", { params: { query: { query, limit: 20 } } }));
  return page.items.map((test) => rowOf(test, language)).map((row) => `${row.title} · ${row.facts}`);
}
