// Answers, for every case on standard input, whether IAM would allow it: [{policy, action, resource, context}] in, [boolean] out.
import { runSimulation } from "@cloud-copilot/iam-simulate";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const answers = [];
for (const { policy, action, resource, context, resourcePolicy } of JSON.parse(Buffer.concat(chunks).toString())) {
  const principal = "arn:aws:iam::123456789012:role/subject";
  const result = await runSimulation(
    {
      identityPolicies: [{ name: "own", policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: resourcePolicy ?? undefined,
      request: {
        principal,
        action,
        resource: { resource, accountId: "123456789012" },
        contextVariables: context,
      },
    },
    {},
  );
  if (result.errors) throw new Error(JSON.stringify(result.errors));
  answers.push(result.analysis?.result === "Allowed" || result.overallResult === "Allowed");
}
process.stdout.write(JSON.stringify(answers));
