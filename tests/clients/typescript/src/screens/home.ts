/** The home screen: one call. */
import { dataOf, inLanguage, type Api, type Schemas } from "../client.js";

import { rowOf } from "./list.js";

function attemptLine(attempt: Schemas["MyAttemptOut"], language: string): string {
  const title = inLanguage(attempt.test.title, language);
  return attempt.score === null ? title : `${title}: ${attempt.score} of ${attempt.max_score ?? "—"}`;
}

function examLine(exam: Schemas["ExamOut"], language: string): string {
  const place = exam.registered ? `roll number ${exam.my_roll_number ?? "—"}` : "open for registration";
  return `${inLanguage(exam.title, language)}: ${place}`;
}

export async function homeScreen(api: Api, language: string): Promise<string[]> {
  const home = dataOf(await api.GET("/v1/users/home"));
  return [
    `${home.profile.name}, ${home.unread} unread, ${home.streak_days} days`,
    ...home.in_progress.map((attempt) => `continue ${attemptLine(attempt, language)}`),
    ...home.exams.map((exam) => `exam ${examLine(exam, language)}`),
    ...home.recent.map((attempt) => `result ${attemptLine(attempt, language)}`),
    ...home.suggestions.map((test) => `try ${rowOf(test, language).title}`),
  ];
}
