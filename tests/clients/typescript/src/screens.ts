/** Renders every screen after a test was taken, and counts the calls of each. */
import { connect, dataOf, given, registered, type Api } from "./client.js";
import { homeScreen } from "./screens/home.js";
import { listScreen } from "./screens/list.js";
import { playerScreen, save } from "./screens/player.js";
import { profileScreen } from "./screens/profile.js";
import { reviewScreen } from "./screens/review.js";

const baseUrl = given("API_URL");
const testId = given("TEST_ID");
const language = given("READER_LANGUAGE");
const token = await registered(baseUrl, "Asha Rao");
const path = { test_id: testId };
const shown: Record<string, { calls: number; lines: string[] }> = {};

async function show(name: string, screen: (api: Api) => Promise<string[]>): Promise<void> {
  const api = connect(baseUrl, token);
  const lines = await screen(api);
  shown[name] = { calls: api.calls(), lines };
}

await show("list", (api) => listScreen(api, language, given("TITLE")));

const api = connect(baseUrl, token);
const started = dataOf(await api.POST("/v1/tests/{test_id}/start", { params: { path } }));
const [first, second] = started.question_order;
if (!first || !second) throw new Error("the paper has two questions");
await save(baseUrl, started, [
  { question_id: first, revision: 1, answer: ["a"], marked_for_review: true, confidence: "guess" },
  { question_id: second, revision: 1, answer: ["a"] },
]);

await show("player", (api) => playerScreen(api, testId, language));
const body = { attempt_id: started.id };
dataOf(await api.POST("/v1/tests/{test_id}/submit", { params: { path }, body }));
await show("review", (api) => reviewScreen(api, testId, started.id, language));
await show("profile", profileScreen);
await show("home", (api) => homeScreen(api, language));

console.log(JSON.stringify(shown));
