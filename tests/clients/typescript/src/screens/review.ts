/** The review of a graded attempt: the result and the paper that was answered, two calls. */
import { dataOf, inLanguage, type Api, type Schemas } from "../client.js";

/** A key as a person reads it. Each type of question has its own form. */
export function keyText(key: Schemas["Key"]): string {
  if ("accepted" in key) {
    return key.accepted.map((answer) => (typeof answer === "string" ? answer : answer.join(""))).join(" or ");
  }
  if ("value" in key) return key.tolerance ? `${key.value} ± ${key.tolerance}` : key.value;
  if ("ranges" in key) return key.ranges.map((range) => range.join(" to ")).join(" or ");
  if ("pairs" in key) {
    return Object.entries(key.pairs)
      .map(([left, right]) => `${left}–${right.join("/")}`)
      .join(", ");
  }
  return "dropped";
}

export function answerText(answer: Schemas["Answer"]): string {
  if (answer === null) return "—";
  if (typeof answer === "string") return answer;
  if (Array.isArray(answer)) return answer.join("");
  return Object.entries(answer)
    .map(([left, right]) => `${left}–${right}`)
    .join(", ");
}

export async function reviewScreen(
  api: Api,
  testId: string,
  attemptId: string,
  language: string,
): Promise<string[]> {
  const params = { path: { test_id: testId }, query: { attempt_id: attemptId } };
  const result = dataOf(await api.GET("/v1/tests/{test_id}/results", { params }));
  const paper = dataOf(await api.GET("/v1/tests/{test_id}/questions", { params }));
  const texts = new Map(paper.questions.map((question) => [question.id, question.text]));
  return [
    `${result.score} of ${result.max_score}, rank ${result.rank ?? "—"} of ${result.participants}`,
    ...(result.questions ?? []).map((question) => {
      const text = inLanguage(texts.get(question.question_id) ?? {}, language);
      const given = `${answerText(question.answer)}${question.marked_for_review ? " ⚑" : ""}`;
      const sure = question.confidence === null ? "" : ` (${question.confidence})`;
      return `${question.number}. ${text} you ${given}${sure}, right ${keyText(question.key)}: ${question.marks}`;
    }),
  ];
}
