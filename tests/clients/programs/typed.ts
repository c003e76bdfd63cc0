// A client whose types openapi-typescript makes from the server's document; the compiler checks it, Node runs it.
import createClient from "openapi-fetch";
import type { components, paths } from "./document";

type Rows = components["schemas"]["Row"][];

declare const process: { argv: string[]; exit(code: number): never };

async function main(url: string, rows: Rows): Promise<void> {
  const client = createClient<paths>({ baseUrl: url });
  const models = await client.GET("/models");
  const answer = await client.POST("/models/{model}/predict", { params: { path: { model: "flowers" } }, body: rows });
  const refused = await client.POST("/models/{model}/predict", { params: { path: { model: "flowers" } }, body: [{}] });
  const predictions = answer.data?.predictions ?? [];
  const names = models.data?.models.map((line) => line.model) ?? [];
  console.log(JSON.stringify({ models: names, predictions, refusal: refused.error?.error.code }));
}

main(process.argv[2], JSON.parse(process.argv[3]) as Rows).catch((fault) => {
  console.error(fault);
  process.exit(1);
});
