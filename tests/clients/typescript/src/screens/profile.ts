/** The profile with the progress of its person: two calls. */
import { dataOf, type Api } from "../client.js";

export async function profileScreen(api: Api): Promise<string[]> {
  const profile = dataOf(await api.GET("/v1/users/profile"));
  const progress = dataOf(await api.GET("/v1/users/progress"));
  return [
    `${profile.name}, ${profile.category}`,
    `${progress.tests_taken} tests, ${progress.questions.correct} right and ${progress.questions.incorrect} wrong`,
  ];
}
