// transformers_js.py starts this: node transformers_js.mjs MODULES MODEL; then a JSON line in, a JSON line out.
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";

const [modules, model_folder] = process.argv.slice(2);
const { AutoModelForCausalLM, AutoTokenizer, env } = createRequire(`${modules}/`)("@huggingface/transformers");
env.allowRemoteModels = false;
env.localModelPath = `${dirname(model_folder)}/`;

const name = basename(model_folder);
const tokenizer = await AutoTokenizer.from_pretrained(name);
const session_options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };
const model = await AutoModelForCausalLM.from_pretrained(name, { dtype: "fp32", session_options });
console.log("ready");

for await (const line of createInterface({ input: process.stdin })) {
  const { prompt, tokens } = JSON.parse(line);
  const inputs = tokenizer(prompt);
  const output = await model.generate({ ...inputs, max_new_tokens: tokens, do_sample: false });
  const ids = output.tolist()[0].map(Number);
  const prompt_ids = inputs.input_ids.tolist()[0].map(Number);
  console.log(JSON.stringify({ prompt_ids, new_ids: ids.slice(prompt_ids.length) }));
}
