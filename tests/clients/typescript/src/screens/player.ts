/** The player: it starts or resumes the attempt and reads the paper, two calls. */
import { connect, dataOf, inLanguage, type Api, type Schemas } from "../client.js";

export interface PlayerQuestion {
  id: string;
  number: number;
  text: string;
  options: { id: string; text: string; chosen: boolean }[];
  flagged: boolean;
}

export interface Player {
  attemptId: string;
  lease: number;
  remainingSeconds: number;
  questions: PlayerQuestion[];
}

/** The questions in the order of the attempt, with the answers that are saved. */
export function playerOf(
  started: Schemas["StartedOut"],
  paper: Schemas["Paper"],
  language: string,
): Player {
  const questions = new Map(paper.questions.map((question) => [question.id, question]));
  const responses = new Map(started.responses.map((response) => [response.question_id, response]));
  return {
    attemptId: started.id,
    lease: started.lease,
    remainingSeconds: started.remaining_seconds,
    questions: started.question_order.flatMap((id, place) => {
      const question = questions.get(id);
      return question ? [playerQuestion(question, place + 1, responses.get(id), started, language)] : [];
    }),
  };
}

function playerQuestion(
  question: Schemas["PaperQuestion"],
  number: number,
  response: Schemas["ResponseOut"] | undefined,
  started: Schemas["StartedOut"],
  language: string,
): PlayerQuestion {
  const texts = new Map(question.options.map((option) => [option.id, option.text]));
  const order = started.option_orders[question.id] ?? [...texts.keys()];
  const chosen = Array.isArray(response?.answer) ? response.answer : [];
  return {
    id: question.id,
    number,
    text: inLanguage(question.text, language),
    options: order.map((id) => ({
      id,
      text: inLanguage(texts.get(id) ?? {}, language),
      chosen: chosen.includes(id),
    })),
    flagged: response?.marked_for_review ?? false,
  };
}

export async function playerScreen(api: Api, testId: string, language: string): Promise<string[]> {
  const path = { test_id: testId };
  const started = dataOf(await api.POST("/v1/tests/{test_id}/start", { params: { path } }));
  const paper = dataOf(await api.GET("/v1/tests/{test_id}/questions", { params: { path } }));
  const player = playerOf(started, paper, language);
  return [
    `${player.questions.length} questions, ${Math.ceil(player.remainingSeconds / 60)} min left`,
    ...player.questions.map((question) => {
      const options = question.options.map((option) => `${option.chosen ? "●" : "○"} ${option.text}`);
      return `${question.number}. ${question.text} ${options.join(" ")}${question.flagged ? " ⚑" : ""}`;
    }),
  ];
}

/** Answers a question: the revision goes up with each change within a lease. */
export async function save(
  baseUrl: string,
  started: Schemas["StartedOut"],
  responses: Schemas["ResponseIn"][],
): Promise<Schemas["SavedOut"]> {
  const attempt = connect(baseUrl, started.attempt_token);
  return dataOf(
    await attempt.POST("/v1/tests/{test_id}/responses", {
      params: { path: { test_id: started.test_id } },
      body: { attempt_id: started.id, lease: started.lease, responses },
    }),
  );
}
