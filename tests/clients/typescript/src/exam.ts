/** A candidate sits an exam whose paper was downloaded ahead, and reads the released result. */
import { createDecipheriv } from "node:crypto";

import { connect, dataOf, given, registered, type Schemas } from "./client.js";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The paper in a downloaded package: nonce, ciphertext and tag of AES-256-GCM. */
function opened(content: Buffer, key: string): Schemas["Paper"] {
  const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "base64url"), content.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(content.subarray(-TAG_BYTES));
  const sealed = content.subarray(NONCE_BYTES, -TAG_BYTES);
  const text = Buffer.concat([decipher.update(sealed), decipher.final()]).toString("utf8");
  return JSON.parse(text) as Schemas["Paper"];
}

const baseUrl = given("API_URL");
const api = connect(baseUrl, await registered(baseUrl, "Asha Rao"));
const staff = connect(baseUrl, given("STAFF_TOKEN"));
const exam = { exam_id: given("EXAM_ID") };
const path = { ...exam, paper_id: given("PAPER_ID") };

const place = dataOf(await api.POST("/v1/exams/{exam_id}/register", { params: { path: exam } }));
const download = await api.GET("/v1/exams/{exam_id}/papers/{paper_id}/package", {
  params: { path },
  parseAs: "arrayBuffer",
});
const sealed = Buffer.from(dataOf(download) as ArrayBuffer);

const started = dataOf(await api.POST("/v1/exams/{exam_id}/papers/{paper_id}/start", { params: { path } }));
const paper = opened(sealed, started.package_key);
const attempt = connect(baseUrl, started.attempt_token);
const served = dataOf(await attempt.GET("/v1/exams/{exam_id}/papers/{paper_id}/questions", { params: { path } }));

const responses = paper.questions.map((question) => ({ question_id: question.id, revision: 1, answer: ["a"] }));
const saved = dataOf(
  await attempt.POST("/v1/exams/{exam_id}/papers/{paper_id}/responses", {
    params: { path },
    body: { attempt_id: started.id, lease: started.lease, responses },
  }),
);
const submitted = dataOf(
  await attempt.POST("/v1/exams/{exam_id}/papers/{paper_id}/submit", {
    params: { path },
    body: { attempt_id: started.id },
  }),
);
const withheld = await api.GET("/v1/exams/{exam_id}/results", { params: { path: exam } });
dataOf(
  await staff.POST("/v1/exams/{exam_id}/release-results", {
    params: { path: exam },
    body: { early: true, reason: "Everybody has submitted." },
  }),
);
const result = dataOf(await api.GET("/v1/exams/{exam_id}/results", { params: { path: exam } }));
const ticket = dataOf(await api.POST("/v1/ws/ticket", { body: { path: `/ws/exam/${exam.exam_id}` } }));

console.log(
  JSON.stringify({
    rollNumber: place.roll_number,
    samePaper: JSON.stringify(paper) === JSON.stringify(served),
    saved: saved.saved,
    status: submitted.status,
    withheld: withheld.error?.code,
    score: result.papers[0]?.score,
    rank: result.rank,
    participants: result.participants,
    ticket: ticket.ticket,
  }),
);
