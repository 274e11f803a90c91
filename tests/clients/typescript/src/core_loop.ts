/** A candidate registers, finds a test, takes it and reads the result. */
import { connect, dataOf, given, registered } from "./client.js";

const baseUrl = given("API_URL");
const api = connect(baseUrl, await registered(baseUrl, "Asha Rao"));

const page = dataOf(await api.GET("/v1/tests", { params: { query: { query: given("TITLE"), limit: 5 } } }));
const found = page.items[0];
if (!found) throw new Error("the test is not listed");

const path = { test_id: found.id };
const started = dataOf(await api.POST("/v1/tests/{test_id}/start", { params: { path }, body: { device: "node" } }));
const attempt = connect(baseUrl, started.attempt_token);
const paper = dataOf(await attempt.GET("/v1/tests/{test_id}/questions", { params: { path } }));

const [first, second] = paper.questions;
if (!first || !second) throw new Error("the paper has two questions");
const option = first.options[0];
if (!option) throw new Error("the question has options");

const saved = dataOf(
  await attempt.POST("/v1/tests/{test_id}/responses", {
    params: { path },
    body: {
      attempt_id: started.id,
      lease: started.lease,
      responses: [
        { question_id: first.id, revision: 1, answer: [option.id], confidence: "sure", time_spent_ms: 4000 },
        { question_id: second.id, revision: 1, answer: null, marked_for_review: true },
      ],
    },
  }),
);

const early = await api.GET("/v1/tests/{test_id}/results", { params: { path } });
// The compiler knows every code that this operation can answer.
const code: "not_graded_yet" | undefined = early.error?.code === "not_graded_yet" ? early.error.code : undefined;

const submitted = dataOf(
  await attempt.POST("/v1/tests/{test_id}/submit", { params: { path }, body: { attempt_id: started.id } }),
);
const result = dataOf(await api.GET("/v1/tests/{test_id}/results", { params: { path } }));
const reviewed = result.questions?.find((question) => question.question_id === first.id);
const accepted = reviewed?.key && "accepted" in reviewed.key ? reviewed.key.accepted : [];

console.log(
  JSON.stringify({
    questions: paper.questions.length,
    saved: saved.saved,
    early: code,
    status: submitted.status,
    score: result.score,
    correct: result.correct,
    outcome: reviewed?.outcome,
    accepted,
    stale: (await attempt.GET("/v1/auth/me")).error?.code,
  }),
);
