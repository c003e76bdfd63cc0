// Walks a state machine in JSONata many times, as Step Functions would, with every expression evaluated by npm `jsonata`.
//
// In, on standard input: {definition, inputs, results, errors, walks, seed}. `results` has by state what its task may give
// back, `errors` what it may fail with. Out: what had no value, every expression with some of its contexts, the requests
// that start training jobs, and how the walks ended.
import jsonata from "jsonata";

const KEPT = 6; // contexts that are kept of each expression
const LONGEST = 200; // states of one walk

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { definition, inputs, results, errors, walks, seed } = JSON.parse(Buffer.concat(chunks).toString());

let randomness = seed >>> 0;
function random() {
  // mulberry32
  randomness = (randomness + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(randomness ^ (randomness >>> 15), 1 | randomness);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}
const choose = (values) => values[Math.floor(random() * values.length)];

const compiled = new Map();
const seen = new Map();
const faults = new Map();
const requests = [];
const ends = {};

async function value(expression, where, variables) {
  let answer;
  try {
    if (!compiled.has(expression)) compiled.set(expression, jsonata(expression.slice(2, -2).trim()));
    answer = await compiled.get(expression).evaluate(undefined, variables);
  } catch (error) {
    faults.set(`${where}: ${expression}: ${error.message}`, variables);
    return null;
  }
  if (answer === undefined) {
    faults.set(`${where}: ${expression}: no value`, variables);
    return null;
  }
  answer = JSON.parse(JSON.stringify(answer));
  const kept = seen.get(expression) ?? seen.set(expression, []).get(expression);
  if (kept.length < KEPT || random() < 0.01) {
    kept[kept.length < KEPT ? kept.length : Math.floor(random() * KEPT)] = { variables, value: answer };
  }
  return answer;
}

async function filled(template, where, variables) {
  if (Array.isArray(template)) return Promise.all(template.map((part) => filled(part, where, variables)));
  if (template !== null && typeof template === "object") {
    const pairs = await Promise.all(Object.entries(template).map(async ([k, v]) => [k, await filled(v, where, variables)]));
    return Object.fromEntries(pairs);
  }
  const isExpression = typeof template === "string" && template.startsWith("{%") && template.endsWith("%}");
  return isExpression ? value(template, where, variables) : template;
}

const matches = (names, error) => names.some((name) =>
  name === "States.ALL" || name === error || (name === "States.TaskFailed" && error !== "States.Timeout"));

async function walk(machine, input, variables, execution) {
  let name = machine.StartAt;
  for (let step = 0; step < LONGEST; step++) {
    const state = machine.States[name];
    const entered = new Date(1.7e12 + Math.floor(random() * 1e11)).toISOString();
    const context = { Execution: { Id: execution }, State: { Name: name, EnteredTime: entered, RetryCount: Math.floor(random() * 4) } };
    const scope = (more) => ({ ...variables, states: { input, context, ...more } });
    if (state.Type === "Succeed" || state.Type === "Fail") {
      await filled({ ...state }, name, scope({}));
      return { end: name };
    }
    if (state.Type === "Choice") {
      let next = null;
      let taken = state;
      for (const rule of state.Choices) {
        const holds = await value(rule.Condition, name, scope({}));
        if (typeof holds !== "boolean") faults.set(`${name}: ${rule.Condition}: not true or false`, scope({}));
        if (holds === true) { next = rule.Next; taken = rule; break; }
      }
      variables = { ...variables, ...(await filled(taken.Assign ?? {}, name, scope({}))) };
      name = next ?? state.Default;
      if (name === undefined) return { end: "States.NoChoiceMatched" };
      continue;
    }
    const args = await filled(state.Arguments ?? {}, name, scope({}));
    for (const field of ["Items", "MaxConcurrency", "ItemReader", "Seconds", "Timestamp", "TimeoutSeconds"]) {
      if (field in state) await filled(state[field], name, scope({}));
    }
    let result;
    let failure = null;
    if (state.Type === "Map") {
      const items = "Items" in state ? await filled(state.Items, name, scope({})) : input;
      if (!Array.isArray(items)) faults.set(`${name}: Items is no array`, scope({}));
      result = [];
      for (const item of (items ?? []).slice(0, 3)) {
        const inside = state.ItemSelector === undefined ? item : await filled(state.ItemSelector, name,
          { ...variables, states: { input, context: { ...context, Map: { Item: { Index: 0, Value: item } } } } });
        // States of a distributed map see no variables of the execution around them.
        const own = state.ItemProcessor.ProcessorConfig?.Mode === "DISTRIBUTED" ? {} : variables;
        const ended = await walk(state.ItemProcessor, inside, own, execution);
        if (ended.fault !== undefined) failure = { Error: "States.ItemReaderFailed", Cause: "" };
        result.push(ended.output ?? null);
      }
    } else if (state.Type === "Task") {
      if (/createTrainingJob/.test(state.Resource)) requests.push(args);
      if (!(name in results)) throw new Error(`what does the state ${name} give back? say it in the test`);
      if (random() < 0.15) failure = choose(errors);
      else result = choose(results[name]);
    }
    if (failure !== null) {
      const caught = (state.Catch ?? []).find((each) => matches(each.ErrorEquals, failure.Error));
      if (caught === undefined) return { fault: failure, end: "uncaught" };
      const assigned = await filled(caught.Assign ?? {}, `${name}, caught`, scope({ errorOutput: failure }));
      const output = "Output" in caught ? await filled(caught.Output, `${name}, caught`, scope({ errorOutput: failure })) : failure;
      variables = { ...variables, ...assigned };
      input = output;
      name = caught.Next;
      continue;
    }
    const known = scope(state.Type === "Task" || state.Type === "Map" ? { result } : {});
    const assigned = await filled(state.Assign ?? {}, name, known);
    const output = "Output" in state ? await filled(state.Output, name, known) : result ?? input;
    variables = { ...variables, ...assigned };
    input = output;
    if (state.End) return { end: name, output };
    name = state.Next;
  }
  faults.set(`no end after ${LONGEST} states`, {});
  return { end: "endless" };
}

for (let at = 0; at < walks; at++) {
  const { end } = await walk(definition, choose(inputs), {}, `arn:aws:states:us-east-1:123456789012:execution:way:${at}`);
  ends[end] = (ends[end] ?? 0) + 1;
}
process.stdout.write(JSON.stringify({
  faults: [...faults].slice(0, 20).map(([fault, variables]) => ({ fault, variables })),
  seen: Object.fromEntries(seen),
  requests,
  ends,
}));
